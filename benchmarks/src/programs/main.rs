//! The measured programs, as commands of one program, so that linking happens once.

mod lapin_batched;
mod lapin_naive;
mod ours;
mod raw;

use clap::Parser;
use rpc_benchmarks::Failure;
use rpc_benchmarks::arguments::{Flavour, Role};

/// Makes and serves the calls that are measured.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    program: Program,

    /// The kind of tokio runtime.
    #[arg(long, value_enum, default_value_t, global = true)]
    runtime: Flavour,
}

#[derive(clap::Subcommand)]
enum Program {
    /// Over rpc-runtime.
    #[command(subcommand)]
    Ours(Role),
    /// Over rpc-runtime, over connections of lapin.
    #[command(subcommand)]
    OursOverLapin(Role),
    /// Over lapin in the style of its examples.
    #[command(subcommand)]
    LapinNaive(Role),
    /// Over lapin, as fast as possible.
    #[command(subcommand)]
    LapinBatched(Role),
}

fn main() -> Result<(), Failure> {
    let Arguments { program, runtime } = Arguments::parse();
    runtime.runtime()?.block_on(async {
        match program {
            Program::Ours(role) => ours::run(role, ours::connecting).await,
            Program::OursOverLapin(role) => ours::run(role, ours::connecting_over_lapin).await,
            Program::LapinNaive(role) => lapin_naive::run(role).await,
            Program::LapinBatched(role) => lapin_batched::run(role).await,
        }
    })
}
