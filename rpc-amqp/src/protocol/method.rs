//! The methods that the broker sends, read.

use std::fmt;

use smol_str::SmolStr;

use super::{BASIC, CHANNEL, CONFIRM, CONNECTION, EXCHANGE, QUEUE, cursor::Cursor};

/// Why the broker closed a channel, or the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseReason {
    /// AMQP's reply code, such as 404 for a queue that does not exist.
    pub code: u16,
    /// The broker's own text.
    pub text: SmolStr,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// How many channels there may be, how large frames may be, and how often both sides give a sign of life, in seconds. 0: as
/// the other side likes; for the heartbeat, never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tuning {
    pub(crate) channel_max: u16,
    pub(crate) frame_max: u32,
    pub(crate) heartbeat: u16,
}

/// The answer to a [`Command`](super::Command).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// How a queue is called, and how it stands.
    Queue {
        name: SmolStr,
        messages: u32,
        consumers: u32,
    },
    /// How a consumer is called.
    Consumer(SmolStr),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Deliver {
        tag: u64,
        redelivered: bool,
        exchange: SmolStr,
        routing_key: SmolStr,
    },
    Return,
    /// A message that was published has been taken, or not.
    Confirm {
        tag: u64,
        multiple: bool,
        accepted: bool,
    },
    Answer(Answer),
    /// The broker has ended the consumer of a channel: the queue is gone.
    Cancelled,
    /// The channel is closed by the broker.
    Close(CloseReason),
    /// The closing of the channel is agreed to.
    CloseOk,
    /// The ways to log in, with spaces between them.
    Start {
        mechanisms: Vec<u8>,
    },
    Tune(Tuning),
    /// The virtual host may be entered.
    Open,
    /// The connection is closed by the broker.
    CloseConnection(CloseReason),
    /// The closing of the connection is agreed to.
    CloseConnectionOk,
    /// The broker takes no messages, and why.
    Blocked(SmolStr),
    Unblocked,
    Other,
}

impl Method {
    /// Reads the payload of a frame; `None` where it ends too early.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(payload);
        Some(match (cursor.u16()?, cursor.u16()?) {
            (BASIC, 60) => {
                cursor.short()?;
                Self::Deliver {
                    tag: cursor.u64()?,
                    redelivered: cursor.u8()? & 1 != 0,
                    exchange: cursor.text()?,
                    routing_key: cursor.text()?,
                }
            }
            (BASIC, 50) => Self::Return,
            (BASIC, method @ (80 | 120)) => Self::Confirm {
                tag: cursor.u64()?,
                multiple: cursor.u8()? & 1 != 0,
                accepted: method == 80,
            },
            (BASIC, 21) => Self::Answer(Answer::Consumer(cursor.text()?)),
            (BASIC, 30) => Self::Cancelled,
            (QUEUE, 11) => Self::Answer(Answer::Queue {
                name: cursor.text()?,
                messages: cursor.u32()?,
                consumers: cursor.u32()?,
            }),
            (CHANNEL | EXCHANGE | CONFIRM | BASIC, 11) | (QUEUE, 21) | (BASIC, 31) => {
                Self::Answer(Answer::Done)
            }
            (CHANNEL, 40) => Self::Close(close_reason(&mut cursor)?),
            (CHANNEL, 41) => Self::CloseOk,
            (CONNECTION, 10) => {
                let _version = cursor.u16()?;
                let _properties = cursor.long()?;
                Self::Start { mechanisms: cursor.long()?.to_vec() }
            }
            (CONNECTION, 30) => Self::Tune(Tuning {
                channel_max: cursor.u16()?,
                frame_max: cursor.u32()?,
                heartbeat: cursor.u16()?,
            }),
            (CONNECTION, 41) => Self::Open,
            (CONNECTION, 50) => Self::CloseConnection(close_reason(&mut cursor)?),
            (CONNECTION, 51) => Self::CloseConnectionOk,
            (CONNECTION, 60) => Self::Blocked(cursor.text()?),
            (CONNECTION, 61) => Self::Unblocked,
            _ => Self::Other,
        })
    }
}

fn close_reason(cursor: &mut Cursor<'_>) -> Option<CloseReason> {
    Some(CloseReason { code: cursor.u16()?, text: cursor.text()? })
}
