//! The message of AMQP 0-9-1: types of rpc-amqp, which all transports share.

pub(crate) use rpc_amqp::{
    DEATHS, Delivery, Expiration, Id, MAX_SHORT_STRING, MAX_TABLE_BYTES, MAX_TABLE_DEPTH, Message,
    Properties, Table as Headers, Value as HeaderValue,
};
