//! AMQP 0-9-1 over tokio, limited to messaging: publish, consume, confirm, return.
//!
//! # How to read it
//!
//! From top to bottom: [`Connector`] finds a broker and does the handshake; [`Connection`] is one live connection, whose I/O task
//! owns the socket; a [`Channel`] asks the broker for queues and consumers; its [`ChannelWriter`] sends messages and
//! acknowledgements; its [`ChannelHandler`] receives. The module `protocol` reads and writes frames and does no I/O.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use rpc_amqp::{ChannelHandler, ConnectOptions, Connector, Delivery, Message, QueueDeclaration};
//! use tokio::sync::mpsc;
//!
//! struct Inbox(mpsc::UnboundedSender<Delivery>);
//!
//! impl ChannelHandler for Inbox {
//!     fn delivered(&self, delivery: Delivery) {
//!         let _ = self.0.send(delivery);
//!     }
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let connector = Connector::new(&["amqp://localhost:5672/%2f"], ConnectOptions::default())?;
//! let connection = connector.connect().await?;
//!
//! let channel = connection.open_channel().await?;
//! let (inbox, mut deliveries) = mpsc::unbounded_channel();
//! channel.set_handler(Arc::new(Inbox(inbox)));
//! channel.set_prefetch(100).await?;
//! let queue = channel.declare_queue(QueueDeclaration { name: "mail", ..Default::default() }).await?;
//! channel.consume(&queue.name, true).await?;
//!
//! let writer = channel.writer();
//! let message = Message { routing_key: queue.name, body: "hello".into(), ..Message::default() };
//! writer.write(|out| out.publish(&message))?;
//! if let Some(delivery) = deliveries.recv().await {
//!     writer.write(|out| out.ack(delivery.tag))?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Goals
//!
//! * Messages are cheap: a publish appends to one buffer, all pending frames leave in one write, one acknowledgement
//!   covers a run of deliveries, and a large body is not copied.
//! * Order is kept: an acknowledgement leaves after all messages that were sent before it.
//! * No input from a peer makes the process panic, hang or allocate without bound, and no single message ends the
//!   connection.
//! * Passwords are never shown.
//!
//! # Non-goals
//!
//! * Automatic reconnection. Replace a lost connection by a new one, with new channels and consumers.
//! * Transactions, `basic.get`, logins in several steps, and passwords that change while connected.
//! * Streams of deliveries: a handler passes each delivery to your task.
//!
//! # Features
//!
//! `tls`: `amqps://` addresses, which are refused without it. It is off by default and needs a C compiler.

mod address;
mod channel;
mod connect;
mod connection;
mod cut;
mod error;
#[cfg(feature = "failpoints")]
mod failpoint;
mod limits;
mod message;
mod protocol;
mod send_window;
mod tls;
mod unconfirmed;

// Compiles the README's code with the doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(fuzzing)]
#[doc(hidden)]
#[path = "fuzz.rs"]
pub mod __fuzz;

pub use address::Address;
pub use channel::{
    Batch, Channel, ChannelHandler, ChannelWriter, Confirmation, DeclaredQueue, NotSent,
};
pub use connect::{ConnectError, ConnectErrorKind, ConnectOptions, Connector};
pub use connection::{Ack, AckTracker, Connection, Stall};
pub use error::Error;
pub use limits::{MAX_SHORT_STRING, MAX_TABLE_BYTES, MAX_TABLE_DEPTH};
pub use message::{DEATHS, Delivery, Expiration, Id, Message, Properties, Table, Value};
pub use protocol::{CloseReason, ExchangeDeclaration, QueueDeclaration};
pub use send_window::{Blocked, Held, SendWindow};
pub use tls::Tls;
pub use unconfirmed::Unconfirmed;
