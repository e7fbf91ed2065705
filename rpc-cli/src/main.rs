//! `rpc`: finds, describes, watches, calls and measures services over RabbitMQ.

mod address;
mod arguments;
mod cli;
mod commands;
mod document;
mod duration;
mod failure;
mod find;
mod near;
mod show;

use std::process::ExitCode;

use clap::Parser;

use self::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return cli::refuse(&error),
    };
    match commands::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
