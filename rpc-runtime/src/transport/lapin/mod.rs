//! RabbitMQ over connections of lapin 4, which the program makes itself. It is the driver below `transport/amqp/`, whose
//! words it takes: channels with a handler, writers that never wait, fences.
//!
//! What lapin does differently, and what is done about it:
//!
//! * It sends acknowledgements, and all other methods, before messages that were queued earlier. So each waits here until the
//!   messages before it are on the socket (`settling.rs`).
//! * It promises a confirmation for each message. The promises are kept and awaited in one task for each channel
//!   (`confirms.rs`), so that publishing waits for nothing.
//! * A returned message comes with the confirmation of another, so it is recognised by its own id.
//! * A channel that only publishes never says that it has ended. What the connection reports, and a look now and then, wake
//!   its task (`connection.rs`).
//!
//! Its own recovery is not used: a connection that is lost is followed by the next one that the program makes.

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

/// Makes a connection: the program's own function.
pub(crate) type Connect =
    Arc<dyn Fn() -> BoxFuture<'static, Result<lapin::Connection, lapin::Error>> + Send + Sync>;

/// RabbitMQ over connections that this function makes.
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

    /// Only the program knows.
    fn address(&self) -> String {
        "RabbitMQ, over lapin".to_owned()
    }
}

/// Runs what a future does up to its first wait. lapin queues frames when a future is first polled; polled on, that future
/// only reports.
fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> task::Poll<F::Output> {
    future.poll(&mut task::Context::from_waker(task::Waker::noop()))
}
