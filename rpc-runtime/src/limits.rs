//! Every default, with its reason. What a user may change is changed at a builder.

use std::time::Duration;

/// How long a call waits when nobody says otherwise: long enough for most methods, short enough that a person who
/// waits for it is still there.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest body, in bytes: RabbitMQ's own limit from 4.0 on. A larger one would be sent in vain.
pub(crate) const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// The largest body of a reply that a caller keeps, in bytes: the largest message that RabbitMQ takes in any version unless
/// it is told otherwise. A server decides what it sends; this only bounds what a peer can have a caller keep.
pub(crate) const MAX_REPLY: usize = 128 * 1024 * 1024;

/// The largest body of a question to a server, in bytes: questions have none.
pub(crate) const MAX_QUESTION: usize = 64 * 1024;

/// The most calls in flight on one `Broker`: about 100 MB of bookkeeping, where something is wrong already.
pub(crate) const MAX_IN_FLIGHT: usize = 131_072;

/// The most that may be on its way to the broker, in bytes, before calls wait or are refused: more than a broker that
/// keeps up ever leaves open, and four of the largest messages.
pub(crate) const MAX_BACKLOG: usize = 4 * MAX_MESSAGE;

/// How many requests of a service one server works on at once, and how many RabbitMQ sends ahead: enough to keep a
/// core busy with short handlers, few enough that another server gets its share.
pub(crate) const CONCURRENCY: u16 = 128;

/// How long a temporary queue outlives its last consumer: longer than servers take to connect again or to be started anew,
/// short enough that a day of tests leaves nothing behind.
pub(crate) const TEMPORARY_QUEUE: Duration = Duration::from_secs(60);

/// How long `Server::shutdown` waits for what is running: within the 30 seconds that Kubernetes and systemd give a
/// process, with time left to reply and to close.
pub(crate) const GRACE_PERIOD: Duration = Duration::from_secs(20);

/// What a handler has left to react after the grace period, before it is stopped and its request given back.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long the first connection may take, over all attempts.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a first connection is tried for that nobody will ever answer: where nobody listens, or somebody who is no
/// broker. Long enough for a broker that is just being restarted by hand, short enough for somebody who mistyped a port.
pub(crate) const HOPELESS: Duration = Duration::from_secs(3);

/// How long before its end the last attempt at a first connection begins.
pub(crate) const LAST_ATTEMPT: Duration = Duration::from_millis(100);

/// How long one place may take to connect to: a broker that accepts and stays silent is given up then.
pub(crate) const CONNECT_ATTEMPT: Duration = Duration::from_secs(10);

/// The fewest channels that a connection is of use with: two for calls, and one to ask for something.
pub(crate) const FEWEST_CHANNELS: u16 = 3;

/// How often a broker that blocks and unblocks is written about at most.
pub(crate) const ALARM_LOG: Duration = Duration::from_secs(10);

/// How often the broker and this process assure each other that they live: a half-open connection is noticed within
/// twice that.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(8);

/// The first pause between attempts; it doubles up to the longest, with jitter, so that a fleet does not return at
/// once.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(50);
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What has lived so long was no mere flicker: when it is lost, the pauses begin anew with the first.
pub(crate) const STABLE_AFTER: Duration = Duration::from_secs(1);

/// The longest pause before a channel takes the place of one that died young: each has a request or a reply that the broker
/// refuses, and the others wait no longer than this for it.
pub(crate) const YOUNG_PAUSE: Duration = Duration::from_millis(500);

/// How many replies to direct reply-to may wait for their connection: more than are in flight where it stands.
pub(crate) const DIRECT_REPLIES: usize = 4_096;

/// How long the connection for replies to direct reply-to is kept without one.
pub(crate) const DIRECT_IDLE: Duration = Duration::from_secs(60);

/// How long a reply to direct reply-to waits for a connection: the default timeout of a call.
pub(crate) const DIRECT_REPLY_WITHIN: Duration = TIMEOUT;

/// How long a channel lives at least before another takes its place because the broker rejects requests on it: a full
/// queue rejects many, and a channel costs two round trips.
pub(crate) const REPLACE_AFTER: Duration = Duration::from_secs(1);

/// How many channels that were replaced may still wait for the end of what they sent: one for each second that a call
/// waits by default, and some.
pub(crate) const RETIRED_CHANNELS: usize = 16;

/// How often a channel that was replaced is looked at, whether everything it sent has ended.
pub(crate) const RETIRED_LOOK: Duration = Duration::from_millis(500);

/// The pause after an error that will not go away by itself (a wrong password): seldom enough not to be a nuisance,
/// often enough to notice that somebody mended it.
pub(crate) const PERMANENT_PAUSE: Duration = Duration::from_secs(30);

/// How many callers a server remembers, to tell how long their requests waited: more than one has at a time, as a rule.
/// Beyond that the waits of some are not counted.
pub(crate) const REMEMBERED_CALLERS: usize = 1_024;

/// For how many milliseconds the clocks of a caller and a server are taken to differ by the same time. A clock that was set is
/// forgotten within twice that; a queue that is never empty for as long hides how long it is.
pub(crate) const CLOCKS_AGREE_FOR_MS: i64 = 5 * 60 * 1_000;

/// How long a request may take from its queue to its method: networks and busy processes take less, as a rule.
pub(crate) const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// How long answers to a question to servers are waited for: longer than a busy server takes, short enough to be sat
/// through.
pub(crate) const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(2);

/// With no further answer for so long, all are taken to have answered: many round trips in any network.
pub(crate) const DISCOVERY_QUIET: Duration = Duration::from_millis(250);

/// Nobody waits longer, and no moment is so far away that it cannot be told.
pub(crate) const DISCOVERY_LONGEST: Duration = Duration::from_secs(60 * 60);

/// The most answers to one question, the largest of them, and all of them together, in bytes: a large fleet of servers
/// with services of hundreds of methods.
pub(crate) const MAX_ANSWERS: usize = 1_000;
pub(crate) const MAX_ANSWER: usize = 1024 * 1024;
pub(crate) const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The memory that one answer may take when it is read, that it may take with its JSON schemas, and that all answers to one
/// question may take: a schema of one MiB of text is 40 MiB of values, and hostile ones a hundred. A fleet of hundreds of servers with
/// schemas fits; of more, the schemas are left out.
pub(crate) const MAX_ANSWER_MEMORY: usize = 16 * 1024 * 1024;
pub(crate) const MAX_DESCRIBED_MEMORY: usize = 48 * 1024 * 1024;
pub(crate) const MAX_ANSWERS_MEMORY: usize = 256 * 1024 * 1024;

/// How many questions wait for a server; it answers one at a time, and those who asked do not wait for ever.
pub(crate) const MAX_QUESTIONS: u32 = 1_000;

/// How long a server or a caller waits for the broker to say how a queue stands, before it goes on without.
pub(crate) const QUEUE_STATE_WITHIN: Duration = Duration::from_millis(500);

/// How long a handler may hold a thread of the runtime before a line says so: what it holds up is late by then for a
/// person who waits, and no quick method takes a hundredth of it.
pub(crate) const HELD_THREAD: Duration = Duration::from_secs(1);

/// How long a client that fails fast waits for a server to consume the queue, before it sends anything: a server that is
/// replaced is back by then, and a person hardly notices.
pub(crate) const UNSERVED: Duration = Duration::from_millis(500);

/// How long such a client waits for the broker to say who consumes the queue, before it sends. RabbitMQ asks the leader of a
/// quorum queue for 250 milliseconds, and then answers that nobody consumes it. So an answer that took so long does not count.
pub(crate) const LOOK_WITHIN: Duration = Duration::from_millis(240);

/// For how long such clients take a queue to be as it was seen last: what is sent meanwhile to a server that has just gone
/// waits for the next. Less than a server takes to go or to come, and yet calls that are made together look once.
pub(crate) const SEEN_FOR: Duration = Duration::from_millis(1);

/// For how long after an answer such clients do not look: calls that follow each other then cost no more than others, and
/// few are sent after the last server has gone.
pub(crate) const ANSWERED_FOR: Duration = Duration::from_millis(50);

/// How many calls in a row have to fail before a circuit breaker makes no more: one may be chance, and each costs its
/// caller a wait.
pub(crate) const CIRCUIT_FAILURES: u32 = 5;

/// How long a circuit breaker makes no calls: long enough for a server to start anew, short enough that callers hardly
/// notice when it has.
pub(crate) const CIRCUIT_PAUSE: Duration = Duration::from_secs(10);

/// How much longer than its lifetime a cached result takes room at most, if nobody asks for it: the cache's own clock goes on
/// where a test has paused tokio's, and is not to end a result before that.
#[cfg(feature = "cache")]
pub(crate) const KEPT_BEYOND: Duration = Duration::from_secs(60);

/// How many messages an injected delay holds up at once: many more than a test has in flight.
#[cfg(feature = "testing")]
pub(crate) const HELD_UP: usize = 10_000;

/// What a connection takes to be made where faults are injected: no time to speak of, but some.
#[cfg(feature = "testing")]
pub(crate) const INJECTED_ROUND_TRIP: Duration = Duration::from_millis(1);
