//! The command line.

use std::{env, ffi::OsString, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::{
    address::redact,
    duration,
    failure::{Failure, Kind},
};

const EXIT_CODES: &str = "\
Exit codes:
  0  success
  1  the method returned its own error, or the server refused the call
  2  the command line is invalid
  3  no server: no server replies, or the service has no queue, or the queue has no consumer
  4  no reply in time
  5  RabbitMQ cannot be reached, or refuses the connection or the request";

/// Finds, describes, watches, calls and measures services over RabbitMQ.
#[derive(Debug, Parser)]
#[command(name = "rpc", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of all commands.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The address of RabbitMQ. A password in AMQP_URL does not show in lists of processes [default: this machine's].
    // clap does not read the variable: it would print the option in every usage line as if it were required.
    #[arg(long, global = true, value_name = "URL")]
    url: Option<String>,

    /// The certificate authorities (PEM) to trust for an amqps address, instead of this machine's.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<std::path::PathBuf>,

    /// The topic exchange to publish requests to, if the servers use one.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) exchange: Option<String>,

    /// Leaves the user out of requests. By default requests carry the user of the address, which RabbitMQ checks.
    #[arg(long, global = true)]
    pub(crate) anonymous: bool,

    /// How long to wait for RabbitMQ, and for answers of servers.
    #[arg(long, global = true, value_name = "DURATION", default_value = "2s", value_parser = duration::parse)]
    pub(crate) wait: Duration,

    /// What the output is.
    #[arg(long, short, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Output,
}

/// RabbitMQ on this machine with its default settings.
const LOCAL: &str = "amqp://guest:guest@localhost:5672/%2f";

impl Global {
    /// The address of RabbitMQ: from the command line, from the environment, or this machine's.
    pub(crate) fn address(&self) -> Result<String, Failure> {
        address(self.url.clone(), env::var_os("AMQP_URL"))
    }
}

fn address(given: Option<String>, variable: Option<OsString>) -> Result<String, Failure> {
    if let Some(url) = given {
        return Ok(url);
    }
    let wrong = |message| {
        Failure::new(Kind::Broker, message)
            .remedy("set it to the address of RabbitMQ, or unset it to use this machine's")
    };
    match variable.map(OsString::into_string) {
        None => Ok(LOCAL.to_owned()),
        Some(Ok(url)) if url.trim().is_empty() => Err(wrong("AMQP_URL is empty")),
        Some(Ok(url)) => Ok(url),
        Some(Err(_)) => Err(wrong("AMQP_URL is not valid Unicode")),
    }
}

/// What the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the services that have a running server.
    Ls,
    /// Describes a service: its methods, their documentation, and the servers that serve it.
    Info(Service),
    /// Asks servers whether they are running.
    Ping(Chosen),
    /// Shows the statistics of servers: calls, errors, latencies, queues.
    Stats(StatsArgs),
    /// Shows the statistics of servers live.
    Top(TopArgs),
    /// Calls a method.
    Call(CallArgs),
    /// Calls a method many times, and measures it.
    Bench(BenchArgs),
    /// Writes the documentation of a service.
    Doc(DocArgs),
    /// Writes a shell's completions for this program.
    Completion {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Service {
    /// The name of the service.
    #[arg(value_name = "SERVICE")]
    pub(crate) name: String,
}

/// Which servers to show.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Only servers of this service.
    #[arg(value_name = "SERVICE")]
    pub(crate) service: Option<String>,

    /// Only servers whose instance begins with this.
    #[arg(long, value_name = "INSTANCE")]
    pub(crate) instance: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,

    /// Repeats, by default every 2 seconds.
    #[arg(long, value_name = "INTERVAL", num_args = 0..=1, require_equals = true, default_missing_value = "2s", value_parser = duration::parse)]
    pub(crate) watch: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Only this service.
    #[arg(value_name = "SERVICE")]
    pub(crate) service: Option<String>,

    /// How often to ask the servers.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration::parse)]
    pub(crate) interval: Duration,
}

/// The method to call, its arguments and options.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// The method, as SERVICE.METHOD.
    #[arg(value_name = "SERVICE.METHOD")]
    pub(crate) method: String,

    /// JSON: `{"n": 30}` by name, `[30]` or 30 by position; - is the standard input, @FILE a file. Plain text is accepted if
    /// the servers say that the method takes a string. With --queue no server is asked: write a string as '"text"'.
    #[arg(value_name = "ARGUMENTS", allow_negative_numbers = true)]
    pub(crate) arguments: Vec<String>,

    /// A header of the request; it can be given several times.
    #[arg(long, short = 'H', value_name = "NAME=VALUE", value_parser = header)]
    pub(crate) header: Vec<(String, String)>,

    /// How long to wait for each reply [default: the method's timeout, or 10 seconds].
    #[arg(long, short, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,

    /// The queue of the service. Without it, the servers are asked for the queue and for the types of the arguments.
    #[arg(long, value_name = "NAME")]
    pub(crate) queue: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) target: Target,

    /// How many calls to keep in flight.
    #[arg(long, short, value_name = "CALLS", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) concurrency: u16,

    /// How long to measure.
    #[arg(long, short, value_name = "DURATION", default_value = "10s", value_parser = duration::parse)]
    pub(crate) duration: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct DocArgs {
    /// The name of the service.
    #[arg(value_name = "SERVICE")]
    pub(crate) service: String,

    /// What to write.
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: DocFormat,
}

/// The format of the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum DocFormat {
    /// Markdown.
    #[default]
    Markdown,
    /// AsyncAPI 3, in JSON.
    Asyncapi,
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a header is written NAME=VALUE".to_owned()),
    }
}

/// Prints an error of the command line, or the help, without the secrets of an address.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    let shown = redact(&error.render().ansi().to_string());
    if error.use_stderr() {
        anstream::eprint!("{shown}");
        return ExitCode::from(Kind::Usage as u8);
    }
    anstream::print!("{shown}");
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let given = |url: &str| Some(url.to_owned());
        let variable = |url: &str| Some(OsString::from(url));
        assert_eq!(address(given("a"), variable("b")).unwrap(), "a");
        assert_eq!(address(None, variable("b")).unwrap(), "b");
        assert_eq!(address(None, None).unwrap(), LOCAL);
        assert_eq!(address(None, variable(" ")).unwrap_err().message(), "AMQP_URL is empty");
    }

    #[test]
    fn headers_have_a_name_and_a_value() {
        assert_eq!(header("tenant=a=b"), Ok(("tenant".to_owned(), "a=b".to_owned())));
        assert!(header("tenant").is_err() && header("=a").is_err());
    }
}
