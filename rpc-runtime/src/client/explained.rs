//! A call whose error names it.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::time::Instant;

use super::{Call, Outgoing};
use crate::{
    connection::BrokerStatus,
    error::{CallError, CallFailure, Ended, Facts, Obstacle},
};

/// A call whose error names it; made by [`Call::explain`].
///
/// # Cancel safety
///
/// As for the call: dropping it frees everything it holds here, and a request that was handed to the broker may still run.
#[must_use = "a call is sent when it is awaited, or by `send()`"]
pub struct Explained<T, E = Infallible> {
    call: Call<T, E>,
}

impl<T, E> Call<T, E> {
    /// The same call, whose error names it: service and method, queue, broker and time, and what to do.
    ///
    /// It comes last, after what changes how the call is sent. A call that succeeds pays nothing for it.
    ///
    /// ```
    /// # use rpc_runtime::{Broker, rpc_service};
    /// # #[rpc_service]
    /// # trait Clock { async fn year(&self) -> u32; }
    /// # struct Stopped;
    /// # impl Clock for Stopped { async fn year(&self) -> u32 { 1926 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let client = ClockClient::new(&Broker::serving(ClockServer::new(Stopped)));
    /// // Where nobody serves it, the program ends with: Error: Clock.year: no server (the queue "Clock" …)
    /// assert_eq!(client.year().explain().await?, 1926);
    /// # Ok(())
    /// # }
    /// ```
    pub fn explain(self) -> Explained<T, E> {
        Explained { call: self }
    }
}

impl<T, E> Explained<T, E> {
    /// As [`Call::send`].
    ///
    /// # Errors
    ///
    /// Those of [`Call::send`], with the names of the call.
    ///
    /// # Cancel safety
    ///
    /// As for [`Call::send`]: the request may have left.
    pub async fn send(self) -> Result<(), CallFailure<E>> {
        self.call.send_or(failure).await
    }
}

impl<T, E> Future for Explained<T, E> {
    type Output = Result<T, CallFailure<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.call.poll_or(cx, failure)
    }
}

impl<T, E> fmt::Debug for Explained<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Explained").field(&self.call).finish()
    }
}

#[cold]
fn failure<E>(error: CallError<E>, call: Option<&Outgoing>) -> CallFailure<E> {
    CallFailure::new(facts(call), error)
}

fn facts(call: Option<&Outgoing>) -> Facts {
    let Some(call) = call else { return Facts::default() };
    let access = call.access();
    let service = match call.service() {
        "" => call.queue(),
        service => service,
    };
    Facts {
        service: service.to_owned(),
        method: call.method_name().to_owned(),
        queue: call.queue().to_owned(),
        exchange: access.exchange().to_string(),
        broker: access.address(),
        looks: call.looks(),
        ended: call.started.map(|(started, deadline)| Ended {
            waited: Instant::now().saturating_duration_since(started),
            timeout: deadline.saturating_duration_since(started),
            obstacle: match access.status() {
                BrokerStatus::Connecting => Some(Obstacle::NoConnection),
                BrokerStatus::Blocked(reason) => Some(Obstacle::Blocked(reason)),
                _ => None,
            },
        }),
    }
}
