//! Every default, with its reason. Users change some of them with the builders.

use std::time::Duration;

/// The default timeout of a call: long enough for most methods, and short enough for a person who waits.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest body, in bytes: RabbitMQ's own limit from 4.0 on. It would refuse a larger one.
pub(crate) const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// The largest body of a reply that a caller stores, in bytes: the largest message that any version of RabbitMQ accepts by
/// default. Servers have a limit of their own for the replies that they send. This one only bounds the memory that a peer
/// can make a caller use.
pub(crate) const MAX_REPLY: usize = 128 * 1024 * 1024;

/// The largest body of a discovery request, in bytes. These requests have no body.
pub(crate) const MAX_QUESTION: usize = 64 * 1024;

/// The most calls in flight on one `Broker`: about 100 MB of bookkeeping. A program with more has a fault elsewhere.
pub(crate) const MAX_IN_FLIGHT: usize = 131_072;

/// The most bytes of replies to direct reply-to that may wait for their connection: four of the largest messages.
pub(crate) const MAX_BACKLOG: usize = 4 * MAX_MESSAGE;

/// How many requests of a service one server runs at once, and its prefetch: enough to keep a core busy with short handlers,
/// and few enough to leave other servers their share.
pub(crate) const CONCURRENCY: u16 = 128;

/// How long a temporary queue outlives its last consumer: longer than servers take to reconnect or to restart, and short
/// enough that a day of tests leaves nothing behind.
pub(crate) const TEMPORARY_QUEUE: Duration = Duration::from_secs(60);

/// How long `Server::shutdown` waits for running handlers: less than the 30 seconds that Kubernetes and systemd give a
/// process, with time left to reply and to close.
pub(crate) const GRACE_PERIOD: Duration = Duration::from_secs(20);

/// How long a handler may react after the grace period, before it is stopped and its request requeued.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long the first connection may take, over all attempts.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the first connection may take if no attempt can succeed, because no broker listens at the address. Long enough
/// for a broker that is being restarted by hand, and short enough for somebody who mistyped a port.
pub(crate) const HOPELESS: Duration = Duration::from_secs(3);

/// How long before the time limit the last attempt at the first connection begins.
pub(crate) const LAST_ATTEMPT: Duration = Duration::from_millis(100);

/// How long connecting to one address may take. It bounds the wait for a broker that accepts the connection and never
/// responds.
pub(crate) const CONNECT_ATTEMPT: Duration = Duration::from_secs(10);

/// The fewest channels that a connection needs: two for calls, and one to look at queues.
pub(crate) const FEWEST_CHANNELS: u16 = 3;

/// The least time between two log lines about a broker that blocks and unblocks.
pub(crate) const ALARM_LOG: Duration = Duration::from_secs(10);

/// The interval of heartbeats. A half-open connection is detected within twice this time.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(8);

/// The first pause between attempts to connect. Pauses double up to the longest, with jitter, so that a fleet does not
/// reconnect all at once.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(50);
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A connection or a channel that has lived this long was stable. After its loss the pauses start again with the first.
pub(crate) const STABLE_AFTER: Duration = Duration::from_secs(1);

/// The longest pause before a channel replaces one that was closed soon after it was opened. The broker closes such a
/// channel for one message that it refuses, and all other messages wait during the pause.
pub(crate) const YOUNG_PAUSE: Duration = Duration::from_millis(500);

/// How many replies to direct reply-to may wait for their connection: more than are in flight while the connection is up.
pub(crate) const DIRECT_REPLIES: usize = 4_096;

/// How long the connection for direct reply-to stays open without replies.
pub(crate) const DIRECT_IDLE: Duration = Duration::from_secs(60);

/// How long a reply to direct reply-to waits for a connection: the default timeout of a call.
pub(crate) const DIRECT_REPLY_WITHIN: Duration = TIMEOUT;

/// The least age of a channel that is replaced because the broker rejects requests on it. A full queue rejects many
/// requests, and a new channel costs two round trips.
pub(crate) const REPLACE_AFTER: Duration = Duration::from_secs(1);

/// How many replaced channels may stay open until their requests have ended: one for each second of the default timeout, and
/// a few more.
pub(crate) const RETIRED_CHANNELS: usize = 16;

/// How often a replaced channel is checked for requests that have not ended.
pub(crate) const RETIRED_LOOK: Duration = Duration::from_millis(500);

/// The pause after a permanent error, such as a wrong password: long enough not to disturb the broker, and short enough to
/// notice that the cause was fixed.
pub(crate) const PERMANENT_PAUSE: Duration = Duration::from_secs(30);

/// How many callers a server remembers, to measure how long their requests waited: usually more than it has at a time. With
/// more callers, some waits are not measured.
pub(crate) const REMEMBERED_CALLERS: usize = 1_024;

/// How long, in milliseconds, the difference between the clocks of a caller and a server is assumed to be constant. A clock
/// that was set is corrected for within twice this time. The wait in a queue cannot be measured if the queue has not been
/// empty for this long.
pub(crate) const CLOCKS_AGREE_FOR_MS: i64 = 5 * 60 * 1_000;

/// How long a request may take from its queue to its method. Networks and busy processes usually take less.
pub(crate) const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// How long to wait for replies to a discovery request: longer than a busy server takes, and acceptable for a person who
/// waits.
pub(crate) const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(2);

/// After this time without another reply, all servers are assumed to have replied. It is many round trips in any network.
pub(crate) const DISCOVERY_QUIET: Duration = Duration::from_millis(250);

/// The upper limit of the wait for replies, so that the deadline never overflows the clock.
pub(crate) const DISCOVERY_LONGEST: Duration = Duration::from_secs(60 * 60);

/// Limits of the replies to one discovery request: their number, the bytes of each, and the bytes of all. Enough for a large
/// fleet of servers whose services have hundreds of methods.
pub(crate) const MAX_ANSWERS: usize = 1_000;
pub(crate) const MAX_ANSWER: usize = 1024 * 1024;
pub(crate) const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Limits of the memory for decoded replies to one discovery request: for each reply, for each reply with its JSON schemas,
/// and for all. One MiB of schema text decodes to 40 MiB of values, and hostile text to 100 MiB. A fleet of hundreds of
/// servers with schemas fits. For a larger fleet, schemas are left out.
pub(crate) const MAX_ANSWER_MEMORY: usize = 16 * 1024 * 1024;
pub(crate) const MAX_DESCRIBED_MEMORY: usize = 48 * 1024 * 1024;
pub(crate) const MAX_ANSWERS_MEMORY: usize = 256 * 1024 * 1024;

/// How many discovery requests may wait for a server. It handles one at a time, and the senders do not wait for ever.
pub(crate) const MAX_QUESTIONS: u32 = 1_000;

/// How long a server or a caller waits for the state of a queue before it continues without.
pub(crate) const QUEUE_STATE_WITHIN: Duration = Duration::from_millis(500);

/// How long a handler may hold a thread of the runtime before a warning is logged. A person notices such a delay of other
/// requests, and no quick method takes a hundredth of it.
pub(crate) const HELD_THREAD: Duration = Duration::from_secs(1);

/// How long a client that fails fast waits for a server to consume the queue, before it sends anything: long enough for a
/// server to be replaced, and hardly noticed by a person.
pub(crate) const UNSERVED: Duration = Duration::from_millis(500);

/// How long such a client waits for the number of consumers before it sends. RabbitMQ waits 250 milliseconds for the leader
/// of a quorum queue, and then reports no consumers. So a response that took this long is not used.
pub(crate) const LOOK_WITHIN: Duration = Duration::from_millis(240);

/// How long such clients reuse the last state of a queue. If the only server has left since, the requests wait for the next
/// one. This is less than a server takes to start or to stop, and long enough that calls made together share one look.
pub(crate) const SEEN_FOR: Duration = Duration::from_millis(1);

/// How long after a reply such clients do not look at the queue. So consecutive calls cost no more than usual, and few
/// requests are sent after the last server has left.
pub(crate) const ANSWERED_FOR: Duration = Duration::from_millis(50);

/// How many calls in a row have to fail before a circuit breaker opens. One failure may be chance, and each one costs its
/// caller a wait.
pub(crate) const CIRCUIT_FAILURES: u32 = 5;

/// How long a circuit breaker stays open: long enough for a server to restart, and short enough to notice soon that it has.
pub(crate) const CIRCUIT_PAUSE: Duration = Duration::from_secs(10);

/// How long an expired result may stay in the cache's memory if no call looks it up. The cache has its own clock, which runs
/// on while a test has paused tokio's. The extra time keeps the cache from dropping a result too early in such a test.
#[cfg(feature = "cache")]
pub(crate) const KEPT_BEYOND: Duration = Duration::from_secs(60);

/// How many messages injected delays hold at once: many more than a test has in flight.
#[cfg(feature = "testing")]
pub(crate) const HELD_UP: usize = 10_000;

/// How long connecting takes while faults are injected: short, but not zero.
#[cfg(feature = "testing")]
pub(crate) const INJECTED_ROUND_TRIP: Duration = Duration::from_millis(1);
