//! `rpc completion`: a script for a shell that completes the arguments of this program.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::{cli::Cli, failure::Failure, show::line};

pub(super) fn run(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "rpc", &mut script);
    line(String::from_utf8_lossy(&script).trim_end())
}
