//! Tracks which replies the broker will accept on a connection.
//!
//! RabbitMQ closes the channel of a reply that it refuses. So some replies are sent on a separate channel: the first reply
//! of a connection, a reply that is larger than any before, and a reply after a pause, because RabbitMQ checks the
//! permissions of the user again on a channel that was idle. Every other reply is like one that was accepted.
//!
//! A queue that RabbitMQ did not name may be of any type and in any state. For example, RabbitMQ blocks a channel that
//! publishes to a quorum queue without a majority. So once a second, one reply to each such queue is sent on the separate
//! channel first.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::direct_reply_to;

/// RabbitMQ drops the cached permissions of a channel that was idle for a second. A tick is a fraction of that.
const TICK: Duration = Duration::from_millis(250);

/// For how many ticks a queue that accepted a reply is trusted.
const NAME_KNOWN_FOR: u32 = 4;

/// How many queues can be trusted at once. A queue that is not trusted costs a round trip.
const NAMES: usize = 64;

/// How long no reply is sent after one that the user had no permission to send.
const FORBIDDEN_FOR: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Proven {
    since: Instant,
    /// Bodies below this size are accepted; 0 if none was sent yet.
    below: AtomicUsize,
    /// Bodies from this size on are refused.
    too_large: AtomicUsize,
    /// When a reply was accepted last, in ticks.
    at: AtomicU64,
    /// Until when replies are refused, in ticks.
    forbidden_until: AtomicU64,
    /// Queues that accepted a reply: half of the hash of the name, and the tick.
    names: [AtomicU64; NAMES],
    hashes: RandomState,
}

impl Proven {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            below: AtomicUsize::new(0),
            too_large: AtomicUsize::new(usize::MAX),
            at: AtomicU64::new(0),
            forbidden_until: AtomicU64::new(0),
            names: [const { AtomicU64::new(0) }; NAMES],
            hashes: RandomState::new(),
        }
    }

    /// An instant, in ticks since the connection was made.
    pub(super) fn tick(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.since);
        elapsed.as_secs() * 4 + u64::from(elapsed.subsec_nanos() / TICK.subsec_nanos())
    }

    /// Whether the broker accepts a reply of this size at `now`, on a channel that was last used at `used` (both in ticks).
    pub(super) fn accepts(&self, size: usize, now: u64, used: u64) -> bool {
        size < self.below.load(Ordering::Relaxed)
            && now <= used.max(self.at.load(Ordering::Relaxed)) + 1
    }

    /// The broker has accepted a reply.
    pub(super) fn accepted(&self, size: usize, now: Instant) {
        self.at.store(self.tick(now), Ordering::Relaxed);
        self.below.fetch_max(size.saturating_add(1), Ordering::Relaxed);
    }

    /// Whether a reply to this queue needs no separate channel: RabbitMQ named the queue, or the queue accepted a reply
    /// recently.
    pub(super) fn takes_replies(&self, queue: &str, now: u64) -> bool {
        is_callback_queue(queue) || !direct_reply_to::is_direct(queue) && self.knows(queue, now)
    }

    fn knows(&self, queue: &str, now: u64) -> bool {
        let (slot, half) = self.slot(queue);
        let stored = slot.load(Ordering::Relaxed);
        stored & !TICKS == half && short(now).wrapping_sub(short(stored)) < NAME_KNOWN_FOR
    }

    /// A queue has accepted a reply.
    pub(super) fn accepted_by(&self, queue: &str, now: Instant) {
        if is_callback_queue(queue) {
            return;
        }
        let (slot, half) = self.slot(queue);
        slot.store(half | u64::from(short(self.tick(now))), Ordering::Relaxed);
    }

    /// The slot of a queue, and the half of its hash that is stored there. That half is never 0, which means an empty slot.
    fn slot(&self, queue: &str) -> (&AtomicU64, u64) {
        let hash = self.hashes.hash_one(queue);
        let index = usize::from(hash.to_le_bytes()[0]) % NAMES;
        (&self.names[index], (hash & !TICKS) | 1 << 63)
    }

    /// Requires proof for all replies again.
    pub(super) fn forget(&self) {
        self.below.store(0, Ordering::Relaxed);
    }

    /// The broker has refused a reply for its size.
    pub(super) fn refused_size(&self, size: usize, limit: Option<usize>) {
        let from = limit.map_or(size, |limit| limit.saturating_add(1).min(size));
        self.too_large.fetch_min(from, Ordering::Relaxed);
        self.below.fetch_min(from, Ordering::Relaxed);
    }

    pub(super) fn is_too_large(&self, size: usize) -> bool {
        size >= self.too_large.load(Ordering::Relaxed)
    }

    /// The broker has refused a reply, because the user has no permission.
    pub(super) fn forbid(&self, now: Instant) {
        self.forget();
        self.forbidden_until.store(self.tick(now + FORBIDDEN_FOR), Ordering::Relaxed);
    }

    pub(super) fn is_forbidden(&self, now: Instant) -> bool {
        self.tick(now) < self.forbidden_until.load(Ordering::Relaxed)
    }
}

/// Whether RabbitMQ named the queue. Then it is an exclusive classic queue.
fn is_callback_queue(name: &str) -> bool {
    name.starts_with("amq.gen-")
}

/// The lower half of a slot.
const TICKS: u64 = u32::MAX as u64;

#[allow(clippy::cast_possible_truncation, reason = "only differences count")]
fn short(ticks: u64) -> u32 {
    (ticks & TICKS) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, milliseconds: u64) -> Instant {
        start + Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_reply_like_an_accepted_one_is_accepted() {
        let start = Instant::now();
        let proven = Proven::new(start);
        let accepts = |size, milliseconds, used| {
            proven.accepts(
                size,
                proven.tick(after(start, milliseconds)),
                proven.tick(after(start, used)),
            )
        };
        assert!(!accepts(0, 0, 0), "no reply was accepted yet");
        proven.accepted(100, after(start, 5_000));
        assert!(accepts(0, 5_100, 0) && accepts(100, 5_200, 0));
        assert!(!accepts(101, 5_100, 0), "it is larger");
        assert!(!accepts(100, 5_600, 0), "nearly a second has passed");
        assert!(accepts(100, 9_300, 9_100), "the channel is in use");
        proven.accepted(10, after(start, 9_000));
        assert!(accepts(100, 9_100, 0));
        proven.forget();
        assert!(!accepts(0, 9_100, 9_100));
    }

    #[test]
    fn a_queue_is_known_for_a_second() {
        let start = Instant::now();
        let proven = Proven::new(start);
        let knows = |name, milliseconds| {
            proven.takes_replies(name, proven.tick(after(start, milliseconds)))
        };
        assert!(!knows("mine", 0) && !knows("", 0), "no queue is known yet");
        proven.accepted_by("mine", after(start, 5_000));
        assert!(knows("mine", 5_000) && knows("mine", 5_900));
        assert!(!knows("mine", 6_000), "a second has passed");
        assert!(!knows("yours", 5_000));
        proven.accepted_by("mine", after(start, 6_000));
        assert!(knows("mine", 6_500));
    }

    #[test]
    fn queues_that_rabbitmq_named_need_no_proof() {
        let start = Instant::now();
        let proven = Proven::new(start);
        assert!(proven.takes_replies("amq.gen-x", 0));
        let direct = "amq.rabbitmq.reply-to.x.y";
        proven.accepted_by(direct, start);
        assert!(!proven.takes_replies(direct, 0), "it has a connection of its own");
        for other in ["amq_x", "amq.gen", "amq.direct", "spring.gen-x", ""] {
            assert!(!proven.takes_replies(other, 0), "{other}");
            proven.accepted_by(other, start);
            assert!(proven.takes_replies(other, 0), "{other}");
        }
    }

    #[test]
    fn memory_for_known_queues_is_bounded() {
        let start = Instant::now();
        let proven = Proven::new(start);
        for number in 0..10_000 {
            proven.accepted_by(&number.to_string(), start);
        }
        let known = (0..10_000).filter(|number| proven.knows(&number.to_string(), 0)).count();
        assert!((1..=NAMES).contains(&known), "{known}");
    }

    #[test]
    fn a_refused_size_is_remembered_with_the_limit() {
        let proven = Proven::new(Instant::now());
        assert!(!proven.is_too_large(usize::MAX - 1));
        proven.refused_size(1_000, None);
        assert!(proven.is_too_large(1_000) && !proven.is_too_large(999));
        proven.refused_size(900, Some(500));
        assert!(proven.is_too_large(501) && !proven.is_too_large(500));
    }

    #[test]
    fn replies_are_tried_again_after_missing_permissions() {
        let start = Instant::now();
        let proven = Proven::new(start);
        assert!(!proven.is_forbidden(start));
        proven.forbid(after(start, 500));
        assert!(proven.is_forbidden(after(start, 1_000)));
        assert!(!proven.is_forbidden(after(start, 1_600)));
    }
}
