//! Captures logs for tests.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex},
};

use rpc_tests::eventually;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing::{Dispatch, Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;

use crate::brokers::SOON;

/// All captured lines.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Captures the log of this thread while the guard lives.
    pub(crate) fn gather(most: Level) -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(most).with_ansi(false);
        let guard = listen(subscriber.with_writer(log.clone()).finish());
        (log, guard)
    }

    /// Captures the log of the process, for a test in its own process.
    pub(crate) fn of_this_process() -> Self {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_ansi(false);
        subscriber.with_writer(log.clone()).init();
        log
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines with all these words.
    pub(crate) fn lines(&self, words: &[&str]) -> Vec<String> {
        let text = self.text();
        let has = |line: &&str| words.iter().all(|word| line.contains(word));
        text.lines().filter(has).map(str::to_owned).collect()
    }

    /// Waits for a line with these words.
    pub(crate) async fn line(&self, words: &[&str]) -> String {
        let line = || self.lines(words).into_iter().next();
        eventually(&format!("a line with {words:?}"), SOON, line).await
    }
}

/// Hands what this thread logs to a subscriber, for as long as the guard lives.
pub(crate) fn listen(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    // While there is one subscriber alone, whether a place in the code logs anything is asked of the thread that comes there
    // first, and is then settled for all threads: a test that does not listen would silence one that does.
    static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
    LazyLock::force(&ANOTHER);
    tracing::subscriber::set_default(subscriber)
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
