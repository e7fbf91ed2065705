//! The methods that concern messages, and the end of a channel.

use smol_str::SmolStr;

use super::{BASIC, CHANNEL, cursor::Cursor};

/// Why the broker closed a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) text: SmolStr,
}

/// What a frame of methods says, if it is about messages.
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
    /// The channel is closed by whoever says this.
    Close(Refusal),
    /// The closing of the channel is agreed to.
    CloseOk,
    /// The channel is open.
    OpenOk,
    Other,
}

impl Method {
    /// Reads the payload of a frame.
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
            (CHANNEL, 40) => Self::Close(Refusal { code: cursor.u16()?, text: cursor.text()? }),
            (CHANNEL, 41) => Self::CloseOk,
            (CHANNEL, 11) => Self::OpenOk,
            _ => Self::Other,
        })
    }
}
