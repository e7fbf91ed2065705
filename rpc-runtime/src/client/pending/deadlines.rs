//! Until when the calls of a table wait. One task sees to all of them: a timer for each would be set and taken back under a
//! lock that all threads share, nearly always for nothing.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Weak},
};

use tokio::{
    runtime,
    sync::Notify,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use super::{
    Outcome,
    table::{Entry, Table},
};
use crate::client::ids::ById;

/// So many of calls that have ended are kept, however few are in flight.
const ENDED: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// Those of calls that have ended are among them, until there are as many as of calls in flight.
    nearest_first: BinaryHeap<Reverse<(Instant, Uuid)>>,
    watch: Option<Watch>,
}

/// The task that sees to them, as long as there are any.
#[derive(Debug)]
struct Watch {
    runtime: runtime::Id,
    wakes_at: Instant,
    sooner: Arc<Notify>,
}

/// Who sees to a deadline.
pub(super) enum Watched {
    /// The task that sees to the others.
    Already,
    /// A task that is to be started with this.
    Once(Arc<Notify>),
    /// Nobody: the others' task is one of another runtime, which may stand still while this one runs.
    Elsewhere,
}

impl Deadlines {
    pub(super) fn add(
        &mut self,
        deadline: Instant,
        correlation_id: Uuid,
        runtime: runtime::Id,
        entries: &ById<Entry>,
    ) -> Watched {
        let watched = match &mut self.watch {
            Some(watch) if watch.runtime != runtime => return Watched::Elsewhere,
            Some(watch) => {
                if deadline < watch.wakes_at {
                    watch.wakes_at = deadline;
                    watch.sooner.notify_one();
                }
                Watched::Already
            }
            None => {
                let sooner = Arc::new(Notify::new());
                let watch = Watch { runtime, wakes_at: deadline, sooner: sooner.clone() };
                self.watch = Some(watch);
                Watched::Once(sooner)
            }
        };
        if self.nearest_first.len() >= 2 * entries.len() + ENDED {
            self.nearest_first.retain(|Reverse((_, id))| entries.contains_key(id));
            self.nearest_first.shrink_to(4 * entries.len());
        }
        self.nearest_first.push(Reverse((deadline, correlation_id)));
        watched
    }

    /// Takes out the calls whose time is over. Says when the next one's is; `None` if none is left, and nobody watches.
    fn take_due(&mut self, entries: &mut ById<Entry>) -> (Vec<Entry>, Option<Instant>) {
        let now = Instant::now();
        let mut due = Vec::new();
        while let Some(&Reverse((deadline, id))) = self.nearest_first.peek() {
            if now < deadline && entries.contains_key(&id) {
                if let Some(watch) = &mut self.watch {
                    watch.wakes_at = deadline;
                }
                return (due, Some(deadline));
            }
            self.nearest_first.pop();
            due.extend(entries.remove(&id));
        }
        *self = Self::default();
        (due, None)
    }

    /// Takes out the calls that a task has watched which is no more.
    fn abandon(&mut self, sooner: &Arc<Notify>, entries: &mut ById<Entry>) -> Vec<Entry> {
        if !self.watch.as_ref().is_some_and(|watch| Arc::ptr_eq(&watch.sooner, sooner)) {
            return Vec::new();
        }
        let abandoned = std::mem::take(self).nearest_first;
        abandoned.into_iter().filter_map(|Reverse((_, id))| entries.remove(&id)).collect()
    }

    /// Has the watch look again, and end if there is nothing left to watch.
    pub(super) fn wake(&self) {
        if let Some(watch) = &self.watch {
            watch.sooner.notify_one();
        }
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, bool) {
        (self.nearest_first.len(), self.watch.is_some())
    }
}

/// Ends each call of a table at its deadline, as long as it runs.
pub(super) struct Watcher {
    table: Weak<Table>,
    sooner: Arc<Notify>,
}

impl Watcher {
    pub(super) fn new(table: &Arc<Table>, sooner: Arc<Notify>) -> Self {
        Self { table: Arc::downgrade(table), sooner }
    }

    pub(super) async fn run(self) {
        while let Some(next) = self.end_due() {
            tokio::select! {
                () = self.sooner.notified() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    /// Says when to look again, if so.
    fn end_due(&self) -> Option<Instant> {
        let table = self.table.upgrade()?;
        let (due, next) = table.lock().split(Deadlines::take_due);
        for entry in due {
            entry.end(Outcome::Expired);
        }
        next
    }
}

impl Drop for Watcher {
    /// Where its runtime has ended, so have nearly all who waited for these calls. To the others they are lost.
    fn drop(&mut self) {
        let Some(table) = self.table.upgrade() else { return };
        let abandoned =
            table.lock().split(|deadlines, entries| deadlines.abandon(&self.sooner, entries));
        for entry in abandoned {
            entry.end(Outcome::Lost);
        }
    }
}
