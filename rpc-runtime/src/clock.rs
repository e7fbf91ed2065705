//! The time of day, by tokio's clock: it never steps, and a test can pause it.
//!
//! The wall clock is read once in a process. After that only tokio's clock counts. So setting the wall clock between two
//! requests has no effect.

use std::{
    sync::OnceLock,
    time::{Duration, Instant as Moment, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

pub(crate) fn unix_milliseconds(at: Instant) -> i64 {
    static READ: OnceLock<(Moment, i64)> = OnceLock::new();
    let (read, epoch) = READ.get_or_init(|| {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (Moment::now(), i64::try_from(epoch.as_millis()).unwrap_or(i64::MAX))
    });
    let at = at.into_std();
    match at.checked_duration_since(*read) {
        Some(since) => epoch.saturating_add(whole_milliseconds(since)),
        None => epoch.saturating_sub(whole_milliseconds(read.saturating_duration_since(at))),
    }
}

fn whole_milliseconds(time: Duration) -> i64 {
    let milliseconds = time.as_secs().saturating_mul(1_000);
    i64::try_from(milliseconds.saturating_add(time.subsec_millis().into())).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_time_of_day() {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let ours = unix_milliseconds(Instant::now());
        assert!(i64::try_from(wall).unwrap().abs_diff(ours) < 5_000, "{wall} {ours}");
    }

    #[tokio::test(start_paused = true)]
    async fn it_follows_a_paused_clock() {
        let before = unix_milliseconds(Instant::now());
        tokio::time::advance(Duration::from_secs(3)).await;
        let passed = unix_milliseconds(Instant::now()) - before;
        assert!((2_999..=3_001).contains(&passed), "{passed}");
    }
}
