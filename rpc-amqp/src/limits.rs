//! Every limit, with its reason.

use std::time::Duration;

/// The largest table that is read, in bytes. Of a larger one only the size is kept.
pub const MAX_TABLE_BYTES: usize = 16 * 1024 + 128;

/// How many tables or arrays may be nested in a received value. One level more is still measured; beyond that the whole
/// table is unreadable.
pub const MAX_TABLE_DEPTH: usize = 32;

/// The longest short string of AMQP, in bytes: names, and the properties that are texts.
pub const MAX_SHORT_STRING: usize = 255;

/// The largest frame with the properties of a message that is read, in bytes: many times [`MAX_TABLE_BYTES`], as RabbitMQ
/// adds headers of its own. A larger one is skipped without being kept.
pub(crate) const MAX_HEADER_FRAME: usize = 1024 * 1024;

/// The largest body that is kept unless the handler of a channel names another size, in bytes: the largest message that
/// RabbitMQ takes by default in any version.
pub(crate) const MAX_BODY: usize = 128 * 1024 * 1024;

/// How many bytes may be published and not settled before a connection counts as blocked: more than a broker that keeps up
/// ever leaves open, and four messages of the size that RabbitMQ takes from 4.0 on.
pub(crate) const SEND_WINDOW: usize = 64 * 1024 * 1024;

/// How long one place may take to connect to: a broker that accepts and stays silent is given up then.
pub(crate) const CONNECT_ATTEMPT: Duration = Duration::from_secs(10);

/// When the next place is tried besides one that has not even taken the connection: what RFC 8305 recommends. Many round
/// trips in any network.
pub(crate) const CONNECT_SLOW: Duration = Duration::from_millis(250);

/// When the next place is tried besides one that has taken the connection and does not get on: a busy broker that asks
/// others about a login takes a second or so.
pub(crate) const CONNECT_SILENT: Duration = Duration::from_secs(2);

/// When a server that has taken a connection and stays silent is asked whether it speaks HTTP. A broker greets within a round
/// trip or two.
pub(crate) const HTTP_ASKED: Duration = Duration::from_secs(1);

/// How many places a name leads to at most.
pub(crate) const MOST_PLACES: usize = 16;

/// How long the broker may take to answer on a channel. To declare a quorum queue takes seconds in a busy cluster.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// How often each side gives a sign of life by default: a half-open connection is noticed within twice that.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(8);

/// How long the end of a connection may take without getting on.
pub(crate) const CLOSE_WITHIN: Duration = Duration::from_secs(2);
