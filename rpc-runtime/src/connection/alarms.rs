//! Log lines about a broker that takes no messages. A broker that changes all the time is not logged at each change.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::{info, warn};

use crate::{escape::Escaped, limits};

/// Logs the first change at once, and those that follow soon in one line.
#[derive(Default)]
pub(super) struct AlarmLog {
    /// As it is.
    now: Option<Arc<str>>,
    last_line: Option<Instant>,
    /// Changes since the last line.
    changes: u64,
}

impl AlarmLog {
    /// Notes why the broker takes no messages, if so, and writes a line if one is due.
    pub(super) fn note(&mut self, blocked: Option<&Arc<str>>, broker: &str) {
        if self.now.is_some() != blocked.is_some() {
            self.changes += 1;
        }
        self.now = blocked.cloned();
        if self.changes == 0 || self.due().is_some_and(|due| Instant::now() < due) {
            return;
        }
        let changes = std::mem::take(&mut self.changes);
        self.last_line = Some(Instant::now());
        let now = self.now.as_ref().map(Escaped::new);
        match (changes, now) {
            (1, Some(reason)) => warn!(broker, %reason, "the broker takes no messages for now"),
            (1, None) => info!(broker, "the broker takes messages again"),
            (changes, Some(reason)) => warn!(
                broker,
                %reason,
                changes,
                "the broker takes no messages for now; it changed many times since the last line"
            ),
            (changes, None) => warn!(
                broker,
                changes, "the broker takes messages; it changed many times since the last line"
            ),
        }
    }

    /// When the next line is due, if there is something to write.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.changes == 0 {
            return None;
        }
        Some(self.last_line.map_or_else(Instant::now, |last| last + limits::ALARM_LOG))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    /// How many lines are written of changes this far apart.
    async fn lines(changes: usize, apart: Duration) -> usize {
        let (mut log, reason) = (AlarmLog::default(), Arc::from("low on memory"));
        let mut lines = 0;
        for change in 0..changes {
            log.note((change % 2 == 0).then_some(&reason), "broker");
            lines += usize::from(log.last_line == Some(Instant::now()) && log.changes == 0);
            advance(apart).await;
        }
        lines
    }

    #[tokio::test(start_paused = true)]
    async fn changes_now_and_then_are_each_written() {
        assert_eq!(lines(10, limits::ALARM_LOG).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_broker_that_flaps_is_written_about_seldom() {
        let took = Duration::from_millis(1) * 50_000;
        let lines = lines(50_000, Duration::from_millis(1)).await;
        assert!(lines <= 1 + usize::try_from(took.as_secs() / 10).unwrap(), "{lines}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_change_is_written_in_the_end() {
        let (mut log, reason) = (AlarmLog::default(), Arc::from("low on memory"));
        log.note(Some(&reason), "broker");
        assert_eq!(log.due(), None);
        log.note(None, "broker");
        let due = log.due().unwrap();
        assert_eq!(due, Instant::now() + limits::ALARM_LOG);
        advance(limits::ALARM_LOG).await;
        log.note(None, "broker");
        assert_eq!((log.due(), log.changes), (None, 0));
    }
}
