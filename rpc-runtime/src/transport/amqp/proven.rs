//! Which replies the broker is known to accept on a connection.
//!
//! RabbitMQ closes the channel of a reply that it refuses. So the first reply of a connection goes out on a channel of its
//! own, and so does one that is larger than any before, or that follows a pause: RabbitMQ looks at the rights of a user again
//! on a channel that has rested. All others are like a reply that was accepted.
//!
//! A queue that RabbitMQ did not name may be of any type and in any state: RabbitMQ holds a channel up that publishes to a
//! quorum queue without a majority, for example. So once a second, a reply to each such queue goes out on the other channel first.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::direct_reply_to;

/// RabbitMQ forgets what a user may do once a channel has rested for a second.
const TICK: Duration = Duration::from_millis(250);

/// How many ticks a queue is known to take replies.
const NAME_KNOWN_FOR: u32 = 4;

/// How many queues are known at once, at most. One that is not known costs a round trip.
const NAMES: usize = 64;

/// How long no reply is tried after one that the user had no right to send.
const FORBIDDEN_FOR: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Proven {
    since: Instant,
    /// A body below this size was accepted; 0 if none was.
    below: AtomicUsize,
    /// From this size on they are refused.
    too_large: AtomicUsize,
    /// When one was accepted last, in ticks.
    at: AtomicU64,
    /// Until when they are refused, in ticks.
    forbidden_until: AtomicU64,
    /// Queues that took a reply: half of the hash of each name, and the tick.
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

    /// A moment in ticks since the connection was made.
    pub(super) fn tick(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.since);
        elapsed.as_secs() * 4 + u64::from(elapsed.subsec_nanos() / TICK.subsec_nanos())
    }

    /// Whether the broker accepts a reply of this size now, on a channel that was last used at `used`. Both are in ticks.
    pub(super) fn accepts(&self, size: usize, now: u64, used: u64) -> bool {
        size < self.below.load(Ordering::Relaxed)
            && now <= used.max(self.at.load(Ordering::Relaxed)) + 1
    }

    /// The broker has accepted one.
    pub(super) fn accepted(&self, size: usize, now: Instant) {
        self.at.store(self.tick(now), Ordering::Relaxed);
        self.below.fetch_max(size.saturating_add(1), Ordering::Relaxed);
    }

    /// Whether a reply to this queue needs no channel of its own: RabbitMQ named the queue, or it took a reply a moment ago.
    pub(super) fn takes_replies(&self, queue: &str, now: u64) -> bool {
        is_callback_queue(queue) || !direct_reply_to::is_direct(queue) && self.knows(queue, now)
    }

    fn knows(&self, queue: &str, now: u64) -> bool {
        let (slot, half) = self.slot(queue);
        let known = slot.load(Ordering::Relaxed);
        known & !TICKS == half && short(now).wrapping_sub(short(known)) < NAME_KNOWN_FOR
    }

    /// A queue has taken a reply.
    pub(super) fn taken_by(&self, queue: &str, now: Instant) {
        if is_callback_queue(queue) {
            return;
        }
        let (slot, half) = self.slot(queue);
        slot.store(half | u64::from(short(self.tick(now))), Ordering::Relaxed);
    }

    /// Where a queue is noted, and the half of its hash that is noted. It is never 0, which is an empty slot.
    fn slot(&self, queue: &str) -> (&AtomicU64, u64) {
        let hash = self.hashes.hash_one(queue);
        let index = usize::from(hash.to_le_bytes()[0]) % NAMES;
        (&self.names[index], (hash & !TICKS) | 1 << 63)
    }

    /// Has all replies proven again.
    pub(super) fn forget(&self) {
        self.below.store(0, Ordering::Relaxed);
    }

    /// The broker has refused one for its size.
    pub(super) fn refused_size(&self, size: usize, limit: Option<usize>) {
        let from = limit.map_or(size, |limit| limit.saturating_add(1).min(size));
        self.too_large.fetch_min(from, Ordering::Relaxed);
        self.below.fetch_min(from, Ordering::Relaxed);
    }

    pub(super) fn is_too_large(&self, size: usize) -> bool {
        size >= self.too_large.load(Ordering::Relaxed)
    }

    /// The broker has refused one for the rights of the user.
    pub(super) fn forbid(&self, now: Instant) {
        self.forget();
        self.forbidden_until.store(self.tick(now + FORBIDDEN_FOR), Ordering::Relaxed);
    }

    pub(super) fn is_forbidden(&self, now: Instant) -> bool {
        self.tick(now) < self.forbidden_until.load(Ordering::Relaxed)
    }
}

/// Whether RabbitMQ named a queue: then it is exclusive, and classic.
fn is_callback_queue(name: &str) -> bool {
    name.starts_with("amq.gen-")
}

/// The lower half of what is noted of a queue.
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
    fn no_larger_and_soon_after_is_accepted() {
        let start = Instant::now();
        let proven = Proven::new(start);
        let accepts = |size, milliseconds, used| {
            proven.accepts(
                size,
                proven.tick(after(start, milliseconds)),
                proven.tick(after(start, used)),
            )
        };
        assert!(!accepts(0, 0, 0), "nothing is known yet");
        proven.accepted(100, after(start, 5_000));
        assert!(accepts(0, 5_100, 0) && accepts(100, 5_200, 0));
        assert!(!accepts(101, 5_100, 0), "it is larger");
        assert!(!accepts(100, 5_600, 0), "a second is near");
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
        proven.taken_by("mine", after(start, 5_000));
        assert!(knows("mine", 5_000) && knows("mine", 5_900));
        assert!(!knows("mine", 6_000), "a second has passed");
        assert!(!knows("yours", 5_000));
        proven.taken_by("mine", after(start, 6_000));
        assert!(knows("mine", 6_500));
    }

    #[test]
    fn queues_that_rabbitmq_named_need_no_proof() {
        let start = Instant::now();
        let proven = Proven::new(start);
        assert!(proven.takes_replies("amq.gen-x", 0));
        let direct = "amq.rabbitmq.reply-to.x.y";
        proven.taken_by(direct, start);
        assert!(!proven.takes_replies(direct, 0), "it has a connection of its own");
        for other in ["amq_x", "amq.gen", "amq.direct", "spring.gen-x", ""] {
            assert!(!proven.takes_replies(other, 0), "{other}");
            proven.taken_by(other, start);
            assert!(proven.takes_replies(other, 0), "{other}");
        }
    }

    #[test]
    fn any_number_of_queues_takes_the_same_room() {
        let start = Instant::now();
        let proven = Proven::new(start);
        for number in 0..10_000 {
            proven.taken_by(&number.to_string(), start);
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
    fn a_user_without_the_right_is_tried_again_later() {
        let start = Instant::now();
        let proven = Proven::new(start);
        assert!(!proven.is_forbidden(start));
        proven.forbid(after(start, 500));
        assert!(proven.is_forbidden(after(start, 1_000)));
        assert!(!proven.is_forbidden(after(start, 1_600)));
    }
}
