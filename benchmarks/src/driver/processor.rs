//! The time that processes have had of the processors.

use std::fs;

/// In seconds, all its threads together, to a hundredth; `None` if there is no such process here.
pub(crate) fn seconds(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name, which may contain anything; the first after it is the third.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    let ticks = u32::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    Some((f64::from(user) + f64::from(system)) / f64::from(ticks))
}

/// Of all of these together.
pub(crate) fn seconds_of(processes: impl IntoIterator<Item = u32>) -> Option<f64> {
    processes.into_iter().map(seconds).sum()
}
