//! Published messages that the broker has not confirmed yet.

use std::{collections::VecDeque, mem};

/// A queue with room for at most this many messages is reused.
const KEPT: usize = 1024;

/// The publisher's data for each unconfirmed message of a channel, in the order of publishing.
///
/// RabbitMQ numbers the messages of a channel from 1 and confirms them by number. Push a `T` for each message in the
/// closure of [`ChannelWriter::write`](crate::ChannelWriter::write) that publishes it. Then both have the same order.
#[derive(Debug)]
pub struct Unconfirmed<T> {
    /// The number of messages that were published before the first entry of `sent`.
    before: u64,
    /// Settled messages leave a gap.
    sent: VecDeque<Option<T>>,
}

impl<T> Default for Unconfirmed<T> {
    fn default() -> Self {
        Self { before: 0, sent: VecDeque::new() }
    }
}

impl<T> Unconfirmed<T> {
    /// Adds the data of the message that is published next.
    #[inline]
    pub fn push(&mut self, sent: T) {
        self.sent.push_back(Some(sent));
    }

    /// Whether all are confirmed.
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// Removes and returns the confirmed messages: the one with this number, or with `multiple` all up to it.
    pub fn confirm(&mut self, number: u64, multiple: bool) -> Vec<T> {
        let Some(count) = number.checked_sub(self.before).and_then(|count| count.try_into().ok())
        else {
            return Vec::new();
        };
        let count = self.sent.len().min(count);
        let taken = if multiple {
            self.before += count as u64;
            self.sent.drain(..count).flatten().collect()
        } else {
            let one = count.checked_sub(1).and_then(|index| self.sent.get_mut(index)?.take());
            one.into_iter().collect()
        };
        while let Some(None) = self.sent.front() {
            self.sent.pop_front();
            self.before += 1;
        }
        if self.sent.is_empty() && self.sent.capacity() > KEPT {
            // The capacity is left from a burst.
            self.sent = VecDeque::new();
        }
        taken
    }

    /// Removes and returns all messages, in order. Use it when the channel has ended.
    pub fn take(&mut self) -> Vec<T> {
        mem::take(self).sent.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_confirmed_once_in_any_order() {
        let mut open = Unconfirmed::default();
        (1..=6).for_each(|number| open.push(number));
        for (number, multiple, confirmed) in [
            (3, false, &[3][..]),
            (3, false, &[]),
            (4, true, &[1, 2, 4]),
            (4, true, &[]),
            (1, false, &[]),
            (6, false, &[6]),
            (u64::MAX, true, &[5]),
            (0, true, &[]),
        ] {
            assert_eq!(open.confirm(number, multiple), confirmed, "{number}");
        }
        assert!(open.is_empty());
    }

    #[test]
    fn take_returns_all_in_order() {
        let mut open = Unconfirmed::default();
        (1..=4).for_each(|number| open.push(number));
        open.confirm(2, false);
        assert_eq!(open.take(), [1, 3, 4]);
        assert!(open.is_empty());
    }
}
