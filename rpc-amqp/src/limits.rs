//! All limits, with their reasons.

use std::time::Duration;

/// The largest table that is read, in bytes. For a larger one, only the size is kept.
pub const MAX_TABLE_BYTES: usize = 16 * 1024 + 128;

/// The deepest allowed nesting of tables and arrays in a received value. One more level is still measured. A table
/// with more levels is unreadable.
pub const MAX_TABLE_DEPTH: usize = 32;

/// The longest short string of AMQP, in bytes. Names and text properties are short strings.
pub const MAX_SHORT_STRING: usize = 255;

/// The largest content header frame that is read, in bytes. It is many times [`MAX_TABLE_BYTES`], because RabbitMQ
/// adds its own headers. A larger one is skipped.
pub(crate) const MAX_HEADER_FRAME: usize = 1024 * 1024;

/// The largest body that is kept by default, in bytes. The handler of a channel can set another size. This is the
/// largest message that any version of RabbitMQ accepts by default.
pub(crate) const MAX_BODY: usize = 128 * 1024 * 1024;

/// A connection counts as blocked when this many bytes are published and not settled. A broker that keeps up never
/// leaves this much open. It is four messages of the largest size that RabbitMQ accepts from 4.0 on.
pub(crate) const SEND_WINDOW: usize = 64 * 1024 * 1024;

/// The time limit for connecting to one place. It ends attempts at brokers that accept and stay silent.
pub(crate) const CONNECT_ATTEMPT: Duration = Duration::from_secs(10);

/// When to try the next place in parallel, if this one has not accepted the TCP connection. RFC 8305 recommends this
/// value. It is many round trips in any network.
pub(crate) const CONNECT_SLOW: Duration = Duration::from_millis(250);

/// When to try the next place in parallel, if this one has accepted the TCP connection and sends nothing. A busy
/// broker that asks another service about a login takes about a second.
pub(crate) const CONNECT_SILENT: Duration = Duration::from_secs(2);

/// When to check whether a silent server speaks HTTP. A broker greets within one or two round trips.
pub(crate) const HTTP_ASKED: Duration = Duration::from_secs(1);

/// The most places that are tried for one name.
pub(crate) const MOST_PLACES: usize = 16;

/// The time limit for a reply on a channel. Declaring a quorum queue takes seconds in a busy cluster.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The default heartbeat interval. A half-open connection is detected within twice this time.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(8);

/// The time limit for closing a connection without progress.
pub(crate) const CLOSE_WITHIN: Duration = Duration::from_secs(2);
