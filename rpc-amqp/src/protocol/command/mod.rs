//! The methods that are sent beside messages, written.

use bytes::{BufMut, BytesMut};
use smol_str::SmolStr;

use super::{
    BASIC, CHANNEL, CONFIRM, CONNECTION, EXCHANGE, METHOD, QUEUE,
    frames::{put_frame, put_short},
    method::Tuning,
    table::{put_boolean, put_long, put_table, put_text, put_values},
};
use crate::message::Value;

/// The reason of a closing, where there is none.
const GOODBYE: (u16, &str) = (200, "goodbye");

/// The extensions of AMQP that this client understands.
const CAPABILITIES: [&str; 5] = [
    "authentication_failure_close",
    "basic.nack",
    "connection.blocked",
    "consumer_cancel_notify",
    "publisher_confirms",
];

/// The client, as the broker shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client<'a> {
    /// The name of the connection.
    pub(crate) name: &'a str,
    pub(crate) product: &'a str,
    pub(crate) version: &'a str,
}

/// A method for the broker. It has no `Debug`, as one of them holds a password.
pub(crate) enum Command<'a> {
    Login {
        client: Client<'a>,
        mechanism: &'a str,
        response: &'a [u8],
    },
    Tune(Tuning),
    EnterVirtualHost(&'a str),
    CloseConnection,
    CloseConnectionOk,
    OpenChannel,
    CloseChannel,
    CloseChannelOk,
    DeclareExchange(ExchangeDeclaration<'a>),
    DeclareQueue(QueueDeclaration<'a>),
    Bind {
        queue: &'a str,
        exchange: &'a str,
        routing_key: &'a str,
    },
    /// How many messages the consumers of the channel are sent ahead.
    Prefetch(u16),
    Consume {
        queue: &'a str,
        /// Each message is acknowledged.
        acknowledged: bool,
    },
    Cancel {
        consumer: &'a str,
    },
    /// Messages that are published are confirmed from now on.
    Confirm,
}

/// How an exchange is declared.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExchangeDeclaration<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type: `"topic"`, say.
    pub kind: &'a str,
    /// It is not declared, only looked for.
    pub passive: bool,
    /// It outlives the broker's restart.
    pub durable: bool,
}

/// How a queue is declared.
#[allow(
    clippy::struct_excessive_bools,
    reason = "the flags of AMQP, which are independent of each other"
)]
#[derive(Debug, Clone, Copy, Default)]
pub struct QueueDeclaration<'a> {
    /// Its name. Empty for one that the broker makes up.
    pub name: &'a str,
    /// It is not declared, only looked for.
    pub passive: bool,
    /// It outlives the broker's restart.
    pub durable: bool,
    /// Only this connection may use it, and it is deleted with the connection.
    pub exclusive: bool,
    /// It is deleted with its last consumer.
    pub auto_delete: bool,
    /// Further arguments, such as `x-queue-type`.
    pub arguments: &'a [(SmolStr, Value)],
}

impl Command<'_> {
    pub(crate) fn write(&self, to: &mut BytesMut, channel: u16) {
        let (class, method) = self.id();
        put_frame(to, METHOD, channel, |to| {
            to.put_u16(class);
            to.put_u16(method);
            self.write_arguments(to);
        });
    }

    fn id(&self) -> (u16, u16) {
        match self {
            Self::Login { .. } => (CONNECTION, 11),
            Self::Tune(_) => (CONNECTION, 31),
            Self::EnterVirtualHost(_) => (CONNECTION, 40),
            Self::CloseConnection => (CONNECTION, 50),
            Self::CloseConnectionOk => (CONNECTION, 51),
            Self::OpenChannel => (CHANNEL, 10),
            Self::CloseChannel => (CHANNEL, 40),
            Self::CloseChannelOk => (CHANNEL, 41),
            Self::DeclareExchange(_) => (EXCHANGE, 10),
            Self::DeclareQueue(_) => (QUEUE, 10),
            Self::Bind { .. } => (QUEUE, 20),
            Self::Prefetch(_) => (BASIC, 10),
            Self::Consume { .. } => (BASIC, 20),
            Self::Cancel { .. } => (BASIC, 30),
            Self::Confirm => (CONFIRM, 10),
        }
    }

    fn write_arguments(&self, to: &mut BytesMut) {
        match self {
            Self::Login { client, mechanism, response } => {
                write_client(to, client);
                put_short(to, mechanism);
                put_long(to, response);
                put_short(to, "en_US");
            }
            Self::Tune(tuning) => {
                to.put_u16(tuning.channel_max);
                to.put_u32(tuning.frame_max);
                to.put_u16(tuning.heartbeat);
            }
            Self::EnterVirtualHost(name) => {
                put_short(to, name);
                // Two arguments of an older version of the protocol.
                put_short(to, "");
                to.put_u8(0);
            }
            Self::CloseConnection | Self::CloseChannel => {
                to.put_u16(GOODBYE.0);
                put_short(to, GOODBYE.1);
                // The method that is to blame: none.
                to.put_u32(0);
            }
            Self::CloseConnectionOk | Self::CloseChannelOk => {}
            Self::OpenChannel => put_short(to, ""),
            Self::DeclareExchange(exchange) => {
                to.put_u16(0);
                put_short(to, exchange.name);
                put_short(to, exchange.kind);
                put_flags(to, [exchange.passive, exchange.durable]);
                put_table(to, |_| {});
            }
            Self::DeclareQueue(queue) => {
                to.put_u16(0);
                put_short(to, queue.name);
                put_flags(to, [queue.passive, queue.durable, queue.exclusive, queue.auto_delete]);
                put_values(to, queue.arguments);
            }
            Self::Bind { queue, exchange, routing_key } => {
                to.put_u16(0);
                for name in [queue, exchange, routing_key] {
                    put_short(to, name);
                }
                to.put_u8(0);
                put_table(to, |_| {});
            }
            Self::Prefetch(count) => {
                to.put_u32(0);
                to.put_u16(*count);
                to.put_u8(0);
            }
            Self::Consume { queue, acknowledged } => {
                to.put_u16(0);
                put_short(to, queue);
                // The broker makes a name up for the consumer.
                put_short(to, "");
                put_flags(to, [false, !acknowledged]);
                put_table(to, |_| {});
            }
            Self::Cancel { consumer } => {
                put_short(to, consumer);
                to.put_u8(0);
            }
            Self::Confirm => to.put_u8(0),
        }
    }
}

/// The first of these is the lowest bit.
fn put_flags<const N: usize>(to: &mut BytesMut, flags: [bool; N]) {
    let bits = flags.iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(*flag));
    to.put_u8(bits);
}

fn write_client(to: &mut BytesMut, client: &Client<'_>) {
    let texts = [
        ("connection_name", client.name),
        ("product", client.product),
        ("version", client.version),
        ("platform", "Rust"),
    ];
    put_table(to, |to| {
        for (key, text) in texts {
            put_short(to, key);
            put_text(to, text);
        }
        put_short(to, "capabilities");
        to.put_u8(b'F');
        put_table(to, |to| {
            for capability in CAPABILITIES {
                put_short(to, capability);
                put_boolean(to, true);
            }
        });
    });
}

#[cfg(test)]
mod tests;
