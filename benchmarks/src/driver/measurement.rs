//! One measurement: a number of calls of one client.

use std::time::Duration;

use rpc_tests::Process;

use crate::broker::Broker;
use crate::contender::{Contender, Setting};
use crate::line::field;
use crate::processor;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The figures of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measurement {
    /// Calls a second.
    pub(crate) rate: f64,
    /// The bytes of an argument and of its result.
    payload: u32,
    /// The median latency in microseconds, or the mean of a peer that measures only that.
    pub(crate) p50: Option<f64>,
    /// The 99th percentile of latencies, in microseconds.
    pub(crate) p99: Option<f64>,
    /// Processor time of the client for each call, in microseconds.
    pub(crate) client: Option<f64>,
    pub(crate) server: Option<f64>,
    pub(crate) broker: Option<f64>,
}

impl Measurement {
    /// Processor time of both ends for each call, in microseconds.
    pub(crate) fn ends(&self) -> Option<f64> {
        Some(self.client? + self.server?)
    }

    /// Megabytes a second each way.
    pub(crate) fn megabytes(&self) -> f64 {
        self.rate * f64::from(self.payload) / 1e6
    }

    pub(crate) async fn take(
        contender: &Contender,
        servers: &[Process],
        broker: &Broker,
        setting: Setting,
        total: usize,
    ) -> Self {
        let process = contender.call(broker, setting, total);
        let used = || {
            [
                processor::seconds(process.id()),
                processor::seconds_of(servers.iter().map(Process::id)),
                broker.process().and_then(processor::seconds),
            ]
        };
        let mut before = used();
        if contender.announces_begin() {
            process.line_with("begin", PATIENCE).await;
            before = used();
        }
        let line = process.line_with("rate=", PATIENCE).await;
        let after = used();

        #[allow(
            clippy::cast_precision_loss,
            reason = "no run has so many calls that it would matter"
        )]
        let calls = total as f64;
        let each = |index: usize| Some((after[index]? - before[index]?) / calls * 1e6);
        Self {
            rate: field(&line, "rate").unwrap_or_else(|| panic!("no rate in {line:?}")),
            payload: u32::try_from(setting.payload).unwrap_or(u32::MAX),
            p50: field(&line, "p50").or_else(|| field(&line, "mean")),
            p99: field(&line, "p99"),
            client: each(0),
            server: (!servers.is_empty()).then(|| each(1)).flatten(),
            broker: (!servers.is_empty()).then(|| each(2)).flatten(),
        }
    }
}
