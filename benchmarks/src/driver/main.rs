//! Measures calls over rpc-runtime and the same calls by hand over lapin, in turns: `scripts/benchmark`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails prints the reason and ends; nothing depends on it"
)]

mod broker;
mod contender;
mod counter;
mod flags;
mod instructions;
mod line;
mod measurement;
mod memory;
mod over_rabbitmq;
mod processor;
mod results;
mod rounds;
mod statistics;
mod table;
mod targets;

use clap::Parser as _;

use self::broker::Broker;
use self::flags::Flags;
use self::targets::Targets;

#[tokio::main]
async fn main() {
    let flags = Flags::parse();
    let broker = Broker::start().await;
    let mut targets = Targets::default();
    over_rabbitmq::run(&flags, &broker, &mut targets).await;
    memory::run(&flags, &broker, &mut targets).await;
    instructions::run(&flags, &broker).await;
    targets.print();
}
