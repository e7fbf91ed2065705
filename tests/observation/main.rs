//! Spans, trace context and metrics of calls. A binary of its own, because a process has one collector.

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

/// A timeout longer than any step of a test.
const SOON: Duration = Duration::from_secs(10);

/// The brokers for a test, one after the other.
async fn brokers() -> [Broker; 2] {
    [Broker::in_memory(), rabbitmq().await]
}

async fn rabbitmq() -> Broker {
    Broker::connect(Rabbit::shared().await.url()).await.unwrap()
}

/// A queue that expires by itself, in case a test fails before it cleans up.
fn queue(name: &str) -> Queue {
    Queue::named(name).argument("x-expires", 60_000)
}
