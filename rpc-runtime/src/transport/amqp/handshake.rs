//! How a connection begins: both sides greet, we log in, both agree on sizes, and we enter a virtual host.

use std::{io, time::Duration};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    address::Address,
    error::ACCESS_REFUSED,
    socket::Stream,
    wire::{Command, GREETING, HEARTBEAT, METHOD, Method, PREFIX, Refusal, Tuning, next_frame},
};
use crate::{cut::cut, limits, wire::MAX_SHORT_STRING};

/// What the handshake led to.
pub(super) struct Agreed {
    pub(super) tuning: Tuning,
    /// What came right behind it.
    pub(super) came: BytesMut,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Failure {
    /// The broker does not want us.
    Refused(Refusal),
    /// It cannot be talked to. The text completes "what answers at …".
    Unfit(&'static str),
    /// It cannot be logged in to as it was asked for.
    Mechanisms(String),
    /// The connection could not be encrypted.
    Insecure(io::Error),
    /// It was to be encrypted, and what answered does not speak TLS.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "made where TLS is tried"))]
    Plain,
    /// The name of the host could not be resolved.
    Unresolved(io::Error),
    /// Nothing came for so long.
    Silent {
        /// Somebody has taken the connection.
        reached: bool,
        within: Duration,
    },
    /// So few channels are of no use.
    Channels(u16),
    Lost(io::Error),
}

impl Failure {
    /// The broker does not take this login.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            // Others may have room where one is at its limit.
            Self::Refused(refusal) => refusal.code == ACCESS_REFUSED,
            Self::Mechanisms(_) => true,
            Self::Unfit(what) => [HUNG_UP, HUNG_UP_LONG].contains(what),
            _ => false,
        }
    }

    /// Nobody will ever answer, as far as can be known: unless somebody starts a broker there.
    pub(super) fn is_hopeless(&self) -> bool {
        match self {
            Self::Lost(error) => error.kind() == io::ErrorKind::ConnectionRefused,
            // Of a certificate, say. A connection that was only lost may be better the next time.
            Self::Insecure(error) => {
                matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
            }
            Self::Unfit(what) => ![HUNG_UP, HUNG_UP_LONG].contains(what),
            Self::Unresolved(_) | Self::Plain => true,
            Self::Refused(_) | Self::Mechanisms(_) | Self::Silent { .. } | Self::Channels(_) => {
                false
            }
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// Begins a connection, which is called `name` in the broker's pages. `http` resolves if the other side speaks HTTP.
///
/// # Cancel safety
///
/// Dropping the future gives it up; the socket is of no use then.
pub(super) async fn shake_hands(
    socket: &mut Box<dyn Stream>,
    address: &Address,
    name: &str,
    http: impl Future<Output = ()>,
) -> Result<Agreed, Failure> {
    let wanted = address.tuning();
    let mut peer = Peer { socket, came: BytesMut::new(), largest: wanted.largest_frame };
    peer.socket.write_all(&GREETING).await?;
    peer.socket.flush().await?;

    let mechanism = address.login().mechanism();
    let first = tokio::select! {
        biased;
        first = peer.hear() => first?,
        () = http => return Err(HTTP),
    };
    let Method::Start { mechanisms } = first else { return Err(OUT_OF_TURN) };
    if !mechanisms.split(|byte| *byte == b' ').any(|known| known == mechanism.as_bytes()) {
        let mut offered = String::from_utf8_lossy(&mechanisms).into_owned();
        cut(&mut offered, MAX_SHORT_STRING);
        return Err(Failure::Mechanisms(offered));
    }
    peer.say(&Command::Login { name, mechanism, response: &address.response() }).await?;

    let offered = match peer.hear().await {
        Ok(Method::Tune(offered)) => offered,
        // As some brokers do that take offence at a password.
        Err(Failure::Lost(error)) if is_hang_up(&error) => {
            let long = address.response().len() > LONG_LOGIN;
            return Err(Failure::Unfit(if long { HUNG_UP_LONG } else { HUNG_UP }));
        }
        other => return Err(other.err().unwrap_or(OUT_OF_TURN)),
    };
    let tuning = agree(wanted, offered);
    if tuning.channels < limits::FEWEST_CHANNELS {
        return Err(Failure::Channels(tuning.channels));
    }
    peer.say(&Command::Tune(tuning)).await?;
    peer.say(&Command::EnterVirtualHost(address.virtual_host())).await?;
    match peer.hear().await? {
        Method::Open => Ok(Agreed { tuning, came: peer.came }),
        _ => Err(OUT_OF_TURN),
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// The smallest frames that AMQP allows a side to ask for.
const SMALLEST_FRAMES: u32 = 4096;

const HUNG_UP: &str = "hung up when it was shown the login";

/// A user and a password with which a login may not fit into the frame that RabbitMQ takes for it.
const LONG_LOGIN: usize = 3_500;
const HUNG_UP_LONG: &str = "hung up when it was shown the login: its password is long, and RabbitMQ takes a login of 4,096 \
                            bytes in all, of 8,192 from 4.1 on";
const OUT_OF_TURN: Failure = Failure::Unfit("speaks AMQP, but out of turn");
const NO_AMQP: Failure = Failure::Unfit(
    "does not speak AMQP 0-9-1: the port of RabbitMQ is 5672 by default, and 5671 with TLS",
);

const HTTP: Failure = Failure::Unfit(
    "does not speak AMQP 0-9-1 but HTTP: the port of RabbitMQ is 5672 by default, and 15672 that of its web pages",
);

const TLS: Failure = Failure::Unfit(
    "does not speak AMQP 0-9-1 but TLS: write amqps:// for it, or the port without TLS, which is 5672 by default",
);

/// Whether this is what a TLS server says of something that is no TLS: an alert.
fn is_tls(came: &[u8]) -> bool {
    const ALERT: u8 = 21;
    matches!(came, [ALERT] | [ALERT, 3, ..])
}

/// The smaller of what both sides want, where both want something. A heartbeat that this side does not want is not sent.
fn agree(wanted: Tuning, offered: Tuning) -> Tuning {
    fn smaller<T: Copy + Ord + Default>(one: T, other: T) -> T {
        if one == T::default() || other == T::default() { one.max(other) } else { one.min(other) }
    }
    Tuning {
        channels: smaller(wanted.channels, offered.channels),
        largest_frame: smaller(wanted.largest_frame, offered.largest_frame).max(SMALLEST_FRAMES),
        heartbeat: match wanted.heartbeat {
            0 => 0,
            seconds => smaller(seconds, offered.heartbeat),
        },
    }
}

struct Peer<'a> {
    socket: &'a mut Box<dyn Stream>,
    came: BytesMut,
    largest: u32,
}

impl Peer<'_> {
    async fn say(&mut self, command: &Command<'_>) -> io::Result<()> {
        let mut frame = BytesMut::new();
        command.write(&mut frame, 0);
        self.socket.write_all(&frame).await?;
        self.socket.flush().await
    }

    /// The next method.
    async fn hear(&mut self) -> Result<Method, Failure> {
        let largest = usize::try_from(self.largest).unwrap_or(usize::MAX);
        loop {
            // Nothing else comes in a handshake: whatever it is, it is not waited for.
            if self.came.first().is_some_and(|kind| ![METHOD, HEARTBEAT].contains(kind)) {
                return Err(match &self.came[..] {
                    came if is_tls(came) => TLS,
                    [b'H'] | [b'H', b'T', ..] => HTTP,
                    _ => NO_AMQP,
                });
            }
            match next_frame(&self.came, largest).map_err(|_| NO_AMQP)? {
                Some(frame) if self.came.len() >= frame.size => {
                    let bytes = self.came.split_to(frame.size);
                    if frame.kind != METHOD {
                        continue;
                    }
                    let payload = bytes.get(PREFIX..frame.size - 1).unwrap_or_default();
                    return match Method::read(payload).ok_or(NO_AMQP)? {
                        Method::CloseConnection(refusal) => {
                            // It is as good as gone: whether this arrives matters to nobody.
                            let _ = self.say(&Command::CloseConnectionOk).await;
                            Err(Failure::Refused(refusal))
                        }
                        method => Ok(method),
                    };
                }
                _ if self.socket.read_buf(&mut self.came).await? == 0 => {
                    return Err(Failure::Lost(io::ErrorKind::UnexpectedEof.into()));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_wish_counts_and_zero_is_none() {
        let tuning =
            |channels, largest_frame, heartbeat| Tuning { channels, largest_frame, heartbeat };
        let ours = tuning(65_535, 131_072, 8);
        assert_eq!(agree(ours, tuning(2047, 8192, 60)), tuning(2047, 8192, 8));
        assert_eq!(agree(ours, tuning(0, 0, 0)), ours);
        assert_eq!(agree(ours, tuning(0, 0, 5)).heartbeat, 5);
        assert_eq!(agree(ours, tuning(1, 1, 1)), tuning(1, 4096, 1));
        assert_eq!(agree(tuning(9, 4096, 0), tuning(2047, 131_072, 60)), tuning(9, 4096, 0));
    }
}
