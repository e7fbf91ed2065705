//! The memory that calls use in the calling process.

use std::time::Duration;

use rpc_tests::Process;

use crate::broker::Broker;
use crate::contender::{Contender, built};
use crate::flags::{Flags, Part};
use crate::line::field;
use crate::statistics::Spread;
use crate::table;
use crate::targets::{Bound, Targets};

const PATIENCE: Duration = Duration::from_secs(1800);
const PAYLOADS: [usize; 2] = [8, 1024];

pub(crate) async fn run(flags: &Flags, broker: &Broker, targets: &mut Targets) {
    if !flags.has(Part::Memory) {
        return;
    }
    eprintln!("== memory");
    let counts: &[usize] = if flags.quick { &[200] } else { &[1_000, 10_000, 100_000] };
    let most = counts.last().copied().unwrap_or_default();
    let columns: Vec<String> = counts.iter().map(|count| format!("{count} in flight")).collect();
    table::head("bytes a call, without its payload", &columns);
    for payload in PAYLOADS {
        let mut each = Vec::new();
        for count in counts {
            let bytes = pending(flags, broker, "pending", *count, payload).await;
            #[allow(clippy::cast_precision_loss, reason = "payloads are far smaller")]
            each.push(Spread::of(bytes.map(|bytes| bytes - payload as f64)));
        }
        table::row(&format!("payload of {payload} bytes"), each.iter().copied());
        let what = format!("{most} in flight, bytes for each beside its payload of {payload}");
        targets.add(&what, Bound::AtMost(1024.0), Bound::Unbound, each.last().copied().flatten());
    }

    let calls = flags.calls();
    let left = Spread::of(figure("left", &["calls", "--calls", &calls.to_string()], broker).await);
    targets.add(
        &format!("bytes left after {calls} calls"),
        Bound::AtMost(4096.0),
        Bound::Unbound,
        left,
    );
    let left = Spread::of(pending(flags, broker, "timeouts", most, PAYLOADS[0]).await);
    targets.add(
        &format!("bytes left after {most} timeouts"),
        Bound::AtMost(4096.0),
        Bound::Unbound,
        left,
    );
}

/// Measures calls to a server that does not answer, on a queue of its own.
async fn pending(
    flags: &Flags,
    broker: &Broker,
    what: &str,
    calls: usize,
    payload: usize,
) -> Option<f64> {
    let ours = Contender::own("ours", "ours", &[], flags.runtime);
    let server = ours.serve(broker).await;
    let (calls, payload) = (calls.to_string(), payload.to_string());
    let name = if what == "pending" { "bytes" } else { "left" };
    let arguments = [what, "--calls", &calls, "--payload", &payload, "--queue", ours.queue()];
    let figure = figure(name, &arguments, broker).await;
    drop(server);
    figure
}

async fn figure(name: &str, arguments: &[&str], broker: &Broker) -> Option<f64> {
    let mut command = built("bench-memory");
    command.args(arguments);
    broker.pass_address(&mut command);
    let process = Process::start("bench-memory", command);
    let line = process.line_with(&format!("{name}="), PATIENCE).await;
    field(&line, name)
}
