use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// A node starts in about four seconds, and takes several times that on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
const INTERVAL: Duration = Duration::from_millis(50);

/// Waits until the node answers an AMQP client and has printed that it has started.
pub(super) async fn wait(
    port: u16,
    ended: impl Fn() -> bool,
    booted: impl Fn() -> bool,
) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    while !(booted() && greets(port).await) {
        if ended() {
            return Err("the node ended while it was starting".to_owned());
        }
        if Instant::now() >= deadline {
            return Err(format!("the node does not serve after {PATIENCE:?}"));
        }
        sleep(INTERVAL).await;
    }
    Ok(())
}

/// Whether the node answers the protocol header with a method frame (`connection.start`).
async fn greets(port: u16) -> bool {
    const METHOD_FRAME: u8 = 1;
    let greeting = async {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await?;
        socket.write_all(b"AMQP\x00\x00\x09\x01").await?;
        socket.read_u8().await
    };
    matches!(timeout(Duration::from_secs(5), greeting).await, Ok(Ok(METHOD_FRAME)))
}
