//! The socket, encrypted or not.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::{encrypt::Encryption, failure::Failure};
use crate::{Address, limits};

pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let found = tokio::net::lookup_host((host, port)).await.map_err(Failure::Unresolved)?;
    let found: Vec<SocketAddr> = found.take(limits::MOST_PLACES).collect();
    if found.is_empty() {
        let nothing = io::Error::new(io::ErrorKind::NotFound, "the name leads to no address");
        return Err(Failure::Unresolved(nothing));
    }
    Ok(found)
}

/// Connects to one of the places of an address. `reached` is set as soon as the connection is accepted.
pub(super) async fn open(
    address: &Address,
    to: SocketAddr,
    encryption: &Encryption,
    reached: &AtomicBool,
) -> Result<Box<dyn Stream>, Failure> {
    let stream = TcpStream::connect(to).await?;
    reached.store(true, Ordering::Relaxed);
    // Messages are small, and each leaves at once.
    stream.set_nodelay(true)?;
    if address.is_encrypted() {
        encryption.connect(address.host().to_owned(), stream).await
    } else {
        Ok(Box::new(stream))
    }
}

/// Resolves if an HTTP server is there, such as that of RabbitMQ's web pages. An HTTP server does not answer AMQP's greeting, as
/// that is not a whole line, so it has to be asked in HTTP.
pub(super) async fn speaks_http(address: &Address, to: SocketAddr) {
    sleep(limits::HTTP_ASKED).await;
    let asked = async {
        let mut stream = TcpStream::connect(to).await?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        let mut came = [0; 4];
        stream.read_exact(&mut came).await?;
        Ok::<_, io::Error>(came == *b"HTTP")
    };
    if address.is_encrypted() || !asked.await.unwrap_or(false) {
        pending::<()>().await;
    }
}

/// Bytes to and from a broker.
pub(crate) trait Stream:
    tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin
{
}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}
