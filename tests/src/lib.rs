//! The harness of the integration tests: real brokers, peers and programs around the framework.
//!
//! * [`Rabbit::shared`] is the RabbitMQ that all tests of a binary use, each with queues of its [own](unique);
//!   a [`Node`] is one for a single test, to be killed, paused and restarted.
//! * [`Peer`] is pika under remote control: it sends and reads raw messages with all properties.
//! * [`RawPeer`] writes AMQP by hand: any bytes in place of texts and tables.
//! * [`Python`] runs the programs in `tests/python`, [`Process`] runs any other program, such as the examples.
//! * [`Relay`] is between a client and a broker, and cuts connections or stalls, swallows and delays bytes.
//! * [`Random`] generates repeatable random values.
//! * [`eventually`] waits for a state; nothing else here or in the tests sleeps.
//!
//! Nothing is left behind, even after `kill -9`: see [`guardian`](mod@guardian).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot continue panics with the reason; its caller could do nothing else"
)]

mod eventually;
pub mod guardian;
mod node;
mod over_lapin;
mod peer;
mod process;
mod python;
mod rabbit;
mod random;
mod raw;
mod relay;
mod unique;

pub use eventually::{eventually, eventually_async};
pub use node::{Node, NodeBuilder};
pub use over_lapin::IMPOSSIBLE_OVER_LAPIN;
pub use peer::{Message, Peer, PeerError, Published, QueueInfo, QueueSpec, typed};
pub use process::Process;
pub use python::Python;
pub use rabbit::Rabbit;
pub use random::Random;
pub use raw::{Event, Property, RawMessage, RawPeer, RawProperties, long, short};
pub use relay::{Direction, Relay};
pub use unique::unique;

/// Compiles the Rust code in README.md and in these pages, and runs it unless marked otherwise: each page is the documentation
/// of an item here when doctests are collected.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;

    #[doc = include_str!("../../docs/middleware.md")]
    struct Middleware;

    #[doc = include_str!("../../docs/observation.md")]
    struct Observation;

    #[doc = include_str!("../../docs/testing.md")]
    struct Testing;
}
