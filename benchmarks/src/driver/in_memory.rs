//! Calls within a process: the broker in memory beside tarpc's channel.

use rpc_benchmarks::arguments::NUMBER;

use crate::broker::Broker;
use crate::contender::{Contender, Setting};
use crate::flags::{Flags, Part};
use crate::results::Figure;
use crate::rounds::Rounds;
use crate::table;
use crate::targets::{Bound, Targets};

const OURS: &str = "ours, in memory";
const TARPC: &str = "tarpc, in memory";
const WINDOWS: [usize; 2] = [1, 256];

const MEASURES: [(&str, Figure); 3] = [
    ("calls a second", |measured| Some(measured.rate)),
    ("p50, µs", |measured| measured.p50),
    ("processor µs a call", |measured| measured.client),
];

pub(crate) async fn run(flags: &Flags, broker: &Broker, targets: &mut Targets) {
    let contenders = [
        Contender::alone(OURS, "ours", flags.runtime),
        Contender::alone(TARPC, "tarpc", flags.runtime),
    ];
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
    for setting in settings {
        let ratio =
            results.ratio((OURS, setting), (TARPC, setting), |measured| Some(measured.rate));
        let what = format!("in memory, {} in flight, calls a second, to tarpc", setting.window);
        targets.add(&what, Bound::AtLeast(1.0), Bound::Unbound, ratio);
    }
}
