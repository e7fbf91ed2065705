//! One measurement.

use std::time::Duration;

use rpc_tests::Process;

use crate::broker::Broker;
use crate::contender::{Contender, Setting};
use crate::processor;

/// How long a client may take, however slow the broker is.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Calls a second.
    pub(crate) rate: f64,
    /// How long a call took in the middle, and what one in a hundred was over, in microseconds. A peer that knows only
    /// the mean gives that for the middle.
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    /// Processor time for each call, in microseconds.
    pub(crate) client: Option<f64>,
    pub(crate) server: Option<f64>,
    pub(crate) broker: Option<f64>,
}

pub(crate) async fn measure(
    contender: &Contender,
    servers: &[Process],
    broker: &Broker,
    setting: Setting,
    total: usize,
) -> Measured {
    let process = contender.call(broker, setting, total);
    let used = || {
        [
            processor::seconds(process.id()),
            processor::seconds_of(servers.iter().map(Process::id)),
            broker.process().and_then(processor::seconds),
        ]
    };
    let mut before = used();
    if contender.says_when_it_begins() {
        process.line_with("begin", PATIENCE).await;
        before = used();
    }
    let line = process.line_with("rate=", PATIENCE).await;
    let after = used();

    #[allow(clippy::cast_precision_loss, reason = "no run has so many calls that it would matter")]
    let calls = total as f64;
    let each = |index: usize| Some((after[index]? - before[index]?) / calls * 1e6);
    Measured {
        rate: field(&line, "rate").unwrap_or_else(|| panic!("no rate in {line:?}")),
        p50: field(&line, "p50").or_else(|| field(&line, "mean")),
        p99: field(&line, "p99"),
        client: each(0),
        server: each(1),
        broker: each(2),
    }
}

/// A number that is given as `name=…`, in microseconds if it is a time.
fn field(line: &str, name: &str) -> Option<f64> {
    let value =
        line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    let end = value.find(|character: char| !character.is_ascii_digit() && character != '.');
    let (number, unit) = value.split_at(end.unwrap_or(value.len()));
    let scale = match unit {
        "ns" => 1e-3,
        "ms" => 1e3,
        "s" => 1e6,
        _ => 1.0,
    };
    Some(number.parse::<f64>().ok()? * scale)
}
