//! Calls within a process: the broker in memory beside tarpc's channel.

use rpc_benchmarks::arguments::NUMBER;

use crate::broker::Broker;
use crate::contender::{Contender, Setting};
use crate::flags::{Flags, Part};
use crate::results::Figure;
use crate::rounds::Rounds;
use crate::table;
use crate::targets::{Bound, Targets};

/// A row and what it runs.
type Row = (&'static str, &'static [&'static str]);

/// Ours beside theirs: calls from tasks, as those of a service are made; and all from `main`, whose thread runs nothing else.
const PAIRS: [[Row; 2]; 2] = [
    [("ours, from tasks", &["ours", "--tasks"]), ("tarpc, from tasks", &["tarpc", "--tasks"])],
    [("ours, from main", &["ours"]), ("tarpc, from main", &["tarpc"])],
];
const WINDOWS: [usize; 2] = [1, 256];

const MEASURES: [(&str, Figure); 3] = [
    ("calls a second", |measured| Some(measured.rate)),
    ("p50, µs", |measured| measured.p50),
    ("processor µs a call", |measured| measured.client),
];

pub(crate) async fn run(flags: &Flags, broker: &Broker, targets: &mut Targets) {
    let row = |&(name, arguments): &Row| Contender::alone(name, arguments, flags.runtime);
    let contenders: Vec<_> = PAIRS.as_flattened().iter().map(row).collect();
    if !flags.has(Part::InMemory)
        || !contenders.iter().all(|contender| flags.wants(&contender.name))
    {
        return;
    }
    let settings = WINDOWS.map(|window| Setting { servers: 0, window, payload: NUMBER });
    let rounds = Rounds { broker, contenders: &contenders, settings: settings.to_vec(), flags };
    let results = rounds.run().await;

    table::head("in one process", &WINDOWS.map(|window| format!("{window} in flight")));
    for (measure, figure) in MEASURES {
        table::section(measure, WINDOWS.len());
        for Contender { name, .. } in &contenders {
            table::row(name, settings.map(|setting| results.spread(name, setting, figure)));
        }
    }
    for [(ours, _), (tarpc, _)] in PAIRS {
        for setting in settings {
            let ratio =
                results.ratio((ours, setting), (tarpc, setting), |measured| Some(measured.rate));
            let what = format!("{ours}, {} in flight, calls a second, to tarpc", setting.window);
            targets.add(&what, Bound::AtLeast(1.0), Bound::Unbound, ratio);
        }
    }
}
