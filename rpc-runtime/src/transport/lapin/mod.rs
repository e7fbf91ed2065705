//! RabbitMQ over connections of lapin 4, which the program makes. This is a driver for `transport/amqp/`: channels with a
//! handler, writers that never wait, fences.
//!
//! lapin behaves differently in some points:
//!
//! * It sends acknowledgements and all other methods before messages that were queued earlier. So they wait here until the
//!   earlier messages are on the socket (`settling.rs`).
//! * It makes a future of the confirmation of each message. One task for each channel awaits these futures (`confirms.rs`), so
//!   publishing never waits.
//! * A returned message may come with the confirmation of another message, so its own id identifies it.
//! * A channel that only publishes does not report its end. Events of the connection and regular checks wake its task
//!   (`connection.rs`).
//!
//! Automatic recovery of lapin is not used: after a loss, the program makes a new connection.

#[cfg(feature = "failpoints")]
pub(crate) mod by_address;
mod channel;
mod confirms;
mod connection;
mod consumer;
mod ending;
mod error;
mod message;
mod settling;
mod stall;
mod table;
mod writer;

use std::{pin::Pin, sync::Arc, task};

use tokio::time::{Instant, timeout_at};

use self::{channel::LapinChannel, connection::LapinConnection, writer::LapinWriter};
use super::amqp::{AmqpTransport, driver::Driver};
use crate::{
    error::{BrokerError, BrokerErrorKind},
    limits,
    tasks::BoxFuture,
};

/// The program's function that makes a connection.
pub(crate) type Connect =
    Arc<dyn Fn() -> BoxFuture<'static, Result<lapin::Connection, lapin::Error>> + Send + Sync>;

/// RabbitMQ over connections that the program's function makes.
pub(crate) type LapinTransport = AmqpTransport<LapinDriver>;

/// Makes connections of lapin.
pub(crate) struct LapinDriver {
    connect: Connect,
}

impl LapinTransport {
    pub(crate) fn over_lapin(connect: Connect) -> Self {
        Self::over(LapinDriver { connect })
    }
}

impl LapinDriver {
    async fn connect(&self, by: Option<Instant>) -> Result<LapinConnection, BrokerError> {
        let within = Instant::now() + limits::CONNECT_ATTEMPT;
        let by = by.map_or(within, |by| by.min(within));
        let Ok(connected) = timeout_at(by, (self.connect)()).await else {
            let message = "lapin made no connection in time: nobody answers, or not with AMQP";
            return Err(BrokerError::new(BrokerErrorKind::Unreachable, message));
        };
        let connection = LapinConnection::start(connected.map_err(|e| error::connecting(&e))?);
        error::enough_channels(connection.most_channels())?;
        Ok(connection)
    }
}

impl Driver for LapinDriver {
    type Connection = LapinConnection;
    type Channel = LapinChannel;
    type Writer = LapinWriter;

    fn dial(&self, by: Option<Instant>) -> BoxFuture<'_, Result<LapinConnection, BrokerError>> {
        Box::pin(self.connect(by))
    }

    fn dial_for_direct_replies(&self) -> BoxFuture<'_, Result<LapinConnection, BrokerError>> {
        Box::pin(self.connect(None))
    }

    /// Only the program knows its address.
    fn address(&self) -> String {
        "RabbitMQ, over lapin".to_owned()
    }
}

/// Polls a future once. lapin queues the frames at the first poll; later polls only return the outcome.
fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> task::Poll<F::Output> {
    future.poll(&mut task::Context::from_waker(task::Waker::noop()))
}
