//! Functions for the targets in `fuzz/`. Only cargo-fuzz builds them, and they are not part of the API.

use bytes::Bytes;

use crate::{
    codec::{Encoding, awkward},
    reply::Reply,
    wire::{
        ReceivedReply, ReturnAddress, read_reply, read_request, reply_correlation, write_reply,
    },
};

/// Reads the properties of a message, starting at their flags, as those of a request and of a reply.
pub fn envelope(bytes: &[u8]) {
    let Some(properties) = rpc_amqp::__fuzz::properties(bytes) else { return };
    let _ = reply_correlation(&properties);
    let _ = read_reply(&properties, Bytes::new());
    let own = Encoding::Json;
    let Err(fault) = read_request(&properties, own) else { return };
    assert!(!fault.may_have_run(), "refused before it ran: {fault}");
    let Some(address) = ReturnAddress::of(&properties, own) else { return };
    let sent = write_reply(&address, Reply::Fault(fault.clone()));
    match read_reply(&sent.properties, sent.body) {
        ReceivedReply::Fault(read) => assert_eq!(read, fault),
        other => panic!("{other:?} is not {fault}"),
    }
}

/// Decodes a body.
pub fn decoders(bytes: &[u8]) {
    awkward::decode_as_everything(bytes);
}
