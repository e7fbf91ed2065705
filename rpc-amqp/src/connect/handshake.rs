//! The handshake: greeting, login, agreement on sizes, and opening the virtual host.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    failure::{Failure, HTTP, HUNG_UP, HUNG_UP_LONG, LONG_LOGIN, NO_AMQP, OUT_OF_TURN, TLS},
    socket::Stream,
};
use crate::{
    Address, cut,
    limits::MAX_SHORT_STRING,
    protocol::{Client, Command, GREETING, HEARTBEAT, METHOD, Method, PREFIX, Tuning, next_frame},
};

/// The result of the handshake.
pub(crate) struct Agreed {
    pub(crate) tuning: Tuning,
    /// The bytes that were received after the handshake.
    pub(crate) came: BytesMut,
}

/// Starts the handshake. `http` resolves if the peer speaks HTTP.
///
/// # Cancel safety
///
/// Dropping the future stops the handshake. Do not use the socket afterwards.
pub(super) async fn shake_hands(
    socket: &mut Box<dyn Stream>,
    address: &Address,
    client: Client<'_>,
    min_channels: u16,
    http: impl Future<Output = ()>,
) -> Result<Agreed, Failure> {
    let wanted = address.tuning();
    let mut peer = Peer { socket, came: BytesMut::new(), frame_max: wanted.frame_max };
    peer.socket.write_all(&GREETING).await?;
    peer.socket.flush().await?;

    let mechanism = address.login().mechanism();
    let first = tokio::select! {
        biased;
        first = peer.receive() => first?,
        () = http => return Err(HTTP),
    };
    let Method::Start { mechanisms } = first else { return Err(OUT_OF_TURN) };
    if !mechanisms.split(|byte| *byte == b' ').any(|known| known == mechanism.as_bytes()) {
        let offered = String::from_utf8_lossy(&mechanisms);
        let offered = cut::prefix(&offered, MAX_SHORT_STRING);
        return Err(Failure::Mechanisms(offered.to_owned()));
    }
    peer.send(&Command::Login { client, mechanism, response: &address.response() }).await?;

    let offered = match peer.receive().await {
        Ok(Method::Tune(offered)) => offered,
        // Some brokers close the socket if the password is wrong.
        Err(Failure::Lost(error)) if is_hang_up(&error) => {
            let long = address.response().len() > LONG_LOGIN;
            return Err(Failure::Unfit(if long { HUNG_UP_LONG } else { HUNG_UP }));
        }
        other => return Err(other.err().unwrap_or(OUT_OF_TURN)),
    };
    let tuning = agree(wanted, offered);
    if tuning.channel_max < min_channels {
        return Err(Failure::Channels { allowed: tuning.channel_max, needed: min_channels });
    }
    peer.send(&Command::Tune(tuning)).await?;
    peer.send(&Command::EnterVirtualHost(address.virtual_host())).await?;
    match peer.receive().await? {
        Method::Open => Ok(Agreed { tuning, came: peer.came }),
        _ => Err(OUT_OF_TURN),
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// The smallest frame size that AMQP allows a peer to propose.
const SMALLEST_FRAMES: u32 = 4096;

/// Whether these bytes are a TLS alert. A TLS server replies to all other protocols with one.
fn is_tls(came: &[u8]) -> bool {
    const ALERT: u8 = 21;
    matches!(came, [ALERT] | [ALERT, 3, ..])
}

/// The smaller of both values, if both sides propose one. There is no heartbeat if this side does not want it.
fn agree(wanted: Tuning, offered: Tuning) -> Tuning {
    fn smaller<T: Copy + Ord + Default>(one: T, other: T) -> T {
        if one == T::default() || other == T::default() { one.max(other) } else { one.min(other) }
    }
    Tuning {
        channel_max: smaller(wanted.channel_max, offered.channel_max),
        frame_max: smaller(wanted.frame_max, offered.frame_max).max(SMALLEST_FRAMES),
        heartbeat: match wanted.heartbeat {
            0 => 0,
            seconds => smaller(seconds, offered.heartbeat),
        },
    }
}

struct Peer<'a> {
    socket: &'a mut Box<dyn Stream>,
    came: BytesMut,
    frame_max: u32,
}

impl Peer<'_> {
    async fn send(&mut self, command: &Command<'_>) -> io::Result<()> {
        let mut frame = BytesMut::new();
        command.write(&mut frame, 0);
        self.socket.write_all(&frame).await?;
        self.socket.flush().await
    }

    /// The next method.
    async fn receive(&mut self) -> Result<Method, Failure> {
        let frame_max = usize::try_from(self.frame_max).unwrap_or(usize::MAX);
        loop {
            // Only methods are sent in a handshake, so there is no need to wait for the rest of another frame.
            if self.came.first().is_some_and(|kind| ![METHOD, HEARTBEAT].contains(kind)) {
                return Err(match &self.came[..] {
                    came if is_tls(came) => TLS,
                    [b'H'] | [b'H', b'T', ..] => HTTP,
                    _ => NO_AMQP,
                });
            }
            match next_frame(&self.came, frame_max).map_err(|_| NO_AMQP)? {
                Some(frame) if self.came.len() >= frame.size => {
                    let bytes = self.came.split_to(frame.size);
                    if frame.kind != METHOD {
                        continue;
                    }
                    let payload = bytes.get(PREFIX..frame.size - 1).unwrap_or_default();
                    return match Method::read(payload).ok_or(NO_AMQP)? {
                        Method::CloseConnection(reason) => {
                            // The connection ends in any case, so a write error is ignored.
                            let _ = self.send(&Command::CloseConnectionOk).await;
                            Err(Failure::Refused(reason))
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
    fn the_smaller_wish_counts() {
        let tuning =
            |channel_max, frame_max, heartbeat| Tuning { channel_max, frame_max, heartbeat };
        let ours = tuning(65_535, 131_072, 8);
        assert_eq!(agree(ours, tuning(2047, 8192, 60)), tuning(2047, 8192, 8));
        assert_eq!(agree(ours, tuning(0, 0, 0)), ours);
        assert_eq!(agree(ours, tuning(0, 0, 5)).heartbeat, 5);
        assert_eq!(agree(ours, tuning(1, 1, 1)), tuning(1, 4096, 1));
        assert_eq!(agree(tuning(9, 4096, 0), tuning(2047, 131_072, 60)), tuning(9, 4096, 0));
    }
}
