//! Log lines about a broker that accepts no messages. Frequent changes are combined into one line.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::{info, warn};

use crate::{escape::Escaped, limits};

/// Logs the first change at once, and combines the changes that follow soon after.
#[derive(Default)]
pub(super) struct AlarmLog {
    /// Why the broker is blocked now; `None` if it is not.
    blocked: Option<Arc<str>>,
    last_line: Option<Instant>,
    /// Changes since the last line.
    changes: u64,
}

impl AlarmLog {
    /// Records why the broker accepts no messages (`None` if it does), and logs a line if one is due.
    pub(super) fn note(&mut self, blocked: Option<&Arc<str>>, broker: &str) {
        if self.blocked.is_some() != blocked.is_some() {
            self.changes += 1;
        }
        self.blocked = blocked.cloned();
        if self.changes == 0 || self.due().is_some_and(|due| Instant::now() < due) {
            return;
        }
        let changes = std::mem::take(&mut self.changes);
        self.last_line = Some(Instant::now());
        let reason = self.blocked.as_ref().map(Escaped::new);
        match (changes, reason) {
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

    /// When the next line is due; `None` if there is nothing to log.
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

    /// How many lines are logged for changes at this interval.
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
    async fn rare_changes_are_each_logged() {
        assert_eq!(lines(10, limits::ALARM_LOG).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn frequent_changes_are_logged_rarely() {
        let took = Duration::from_millis(1) * 50_000;
        let lines = lines(50_000, Duration::from_millis(1)).await;
        assert!(lines <= 1 + usize::try_from(took.as_secs() / 10).unwrap(), "{lines}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_change_is_always_logged() {
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
