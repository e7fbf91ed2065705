//! What can be seen of calls: spans, trace context, metrics. A binary of its own, because a process has one collector.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking; the standard message is enough where the line says what was expected"
)]

mod metering;
mod nested;
mod spans;
mod wire;

use std::time::Duration;

use rpc_runtime::{Broker, Queue};
use rpc_tests::Rabbit;

/// Longer than anything takes here, shorter than anybody waits.
const SOON: Duration = Duration::from_secs(10);

/// The brokers that a test runs on, one after the other.
async fn brokers() -> [Broker; 2] {
    [Broker::in_memory(), rabbitmq().await]
}

async fn rabbitmq() -> Broker {
    Broker::connect(Rabbit::shared().await.url()).await.unwrap()
}

/// A queue that is gone by itself, for a test that fails before it could clean up.
fn queue(name: &str) -> Queue {
    Queue::named(name).argument("x-expires", 60_000)
}
