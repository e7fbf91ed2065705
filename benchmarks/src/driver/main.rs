//! Measures calls over rpc-runtime beside the same by hand over lapin, in turns: `scripts/benchmark`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot go on says why in a sentence and ends; nothing waits for it"
)]

mod broker;
mod contender;
mod flags;
mod processor;
mod rounds;
mod run;
mod statistics;
mod table;

use clap::Parser as _;
use rpc_benchmarks::arguments::NUMBER;

use self::broker::Broker;
use self::contender::{Contender, Setting};
use self::flags::Flags;
use self::rounds::{Cell, Rounds};

#[tokio::main]
async fn main() {
    let flags = Flags::parse();
    let broker = Broker::start().await;
    let own = [
        ("ours", "ours", &[][..]),
        ("ours, no confirms", "ours", &["--no-confirms"]),
        ("lapin, naive", "lapin-naive", &[]),
        ("lapin, batched", "lapin-batched", &[]),
    ];
    let own =
        own.map(|(name, program, arguments)| Contender::own(name, program, arguments, &flags));
    let peers = flags.peers.iter().map(Contender::peer);
    let contenders: Vec<Contender> =
        own.into_iter().chain(peers).filter(|contender| flags.wants(contender.name())).collect();

    let cells = flags.windows.iter().flat_map(|window| {
        let setting = Setting { window: *window, payload: NUMBER };
        (0..contenders.len()).map(move |contender| Cell { contender, setting })
    });
    let rounds =
        Rounds { broker: &broker, contenders: &contenders, cells: cells.collect(), flags: &flags };
    let results = rounds.run(1).await;
    table::by_window(&contenders, &flags.windows, &results);
}
