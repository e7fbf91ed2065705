//! The command line of the examples.

use std::{env, ffi::OsString, path::Path, process};

use lexopt::{Arg, Parser, prelude::*};
use rpc_runtime::{Broker, BrokerError};

use crate::Failure;

/// The address of RabbitMQ, from `--broker` or `AMQP_URL`.
#[derive(Debug)]
pub struct BrokerArgs {
    /// The address of RabbitMQ; by default this machine's.
    pub broker: String,
}

impl BrokerArgs {
    /// Reads the command line of a program without other arguments.
    ///
    /// # Errors
    ///
    /// If there are other arguments.
    pub fn parse() -> Result<Self, Failure> {
        Self::parse_with("", |arg, _| Err(arg.unexpected()))
    }

    /// Reads the command line of a program with other arguments. `usage` lists them, and `take` reads each.
    ///
    /// # Errors
    ///
    /// If a value is missing, or `take` fails.
    pub fn parse_with(
        usage: &str,
        mut take: impl FnMut(Arg<'_>, &mut Parser) -> Result<(), lexopt::Error>,
    ) -> Result<Self, Failure> {
        let broker = read(usage, "RabbitMQ on this machine", &mut take)?;
        let local = "amqp://guest:guest@localhost:5672/%2f";
        Ok(Self { broker: broker.unwrap_or_else(|| local.to_owned()) })
    }
}

/// The address of RabbitMQ from `--broker` or `AMQP_URL`, if one is set.
#[derive(Debug)]
pub struct MaybeBroker {
    broker: Option<String>,
}

impl MaybeBroker {
    /// As [`BrokerArgs::parse`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn parse() -> Result<Self, Failure> {
        Self::parse_with("", |arg, _| Err(arg.unexpected()))
    }

    /// As [`BrokerArgs::parse_with`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn parse_with(
        usage: &str,
        mut take: impl FnMut(Arg<'_>, &mut Parser) -> Result<(), lexopt::Error>,
    ) -> Result<Self, Failure> {
        let broker = read(usage, "a broker in memory", &mut take)?;
        Ok(Self { broker })
    }

    /// Connects to RabbitMQ, or makes a broker in memory without an address.
    ///
    /// # Errors
    ///
    /// If RabbitMQ cannot be reached, or refuses.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt.
    pub async fn connect(self) -> Result<Broker, BrokerError> {
        // An empty variable counts as unset.
        match self.broker.filter(|address| !address.is_empty()) {
            Some(address) => Broker::connect(&address).await,
            None => Ok(Broker::in_memory()),
        }
    }
}

/// Reads a program's own arguments.
type Take<'a> = &'a mut dyn FnMut(Arg<'_>, &mut Parser) -> Result<(), lexopt::Error>;

fn read(usage: &str, default: &str, take: Take<'_>) -> Result<Option<String>, Failure> {
    let parser = Parser::from_env();
    let program = Path::new(parser.bin_name().unwrap_or_default()).file_stem().unwrap_or_default();
    let usage = format!("Usage: {} [--broker URL] {usage}", program.display());
    let help = format!("{}\n\n--broker defaults to AMQP_URL, or else {default}.", usage.trim_end());
    broker(parser, env::var_os("AMQP_URL"), &help, take).map_err(|error| without_address(&error))
}

/// The address of `--broker`, or else `address`. All arguments but `--broker` and `--help` go to `take`.
fn broker(
    mut parser: Parser,
    mut address: Option<OsString>,
    help: &str,
    take: Take<'_>,
) -> Result<Option<String>, lexopt::Error> {
    while let Some(arg) = parser.next()? {
        match arg {
            Long("broker") => address = Some(parser.value()?),
            Short('h') | Long("help") => {
                println!("{help}");
                process::exit(0);
            }
            Long(name) => {
                // The name borrows from the parser, which is needed for the value.
                let name = name.to_owned();
                take(Long(&name), &mut parser)?;
            }
            Short(letter) => take(Short(letter), &mut parser)?,
            Value(value) => take(Value(value), &mut parser)?,
        }
    }
    let address = address.map(OsString::into_string).transpose();
    address.map_err(|_| "the address of RabbitMQ is not Unicode".into())
}

/// The parser's errors quote the argument, which may be an address with a password.
fn without_address(error: &lexopt::Error) -> Failure {
    let error = error.to_string();
    let shown = if error.contains('@') { "an address where none is expected" } else { &error };
    format!("{shown}; see --help").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "amqp://user:secret@here";

    /// The address, and what a program with `--queue NAME`, `--quorum` and `[N]` reads.
    fn read(given: &[&str], amqp_url: Option<&str>) -> Result<(Option<String>, String), String> {
        let (mut queue, mut quorum, mut n) = (String::new(), false, None);
        let address =
            broker(Parser::from_args(given), amqp_url.map(Into::into), "", &mut |arg, parser| {
                match arg {
                    Long("queue") => queue = parser.value()?.string()?,
                    Long("quorum") => quorum = true,
                    Value(value) if n.is_none() => n = Some(value.parse::<u32>()?),
                    _ => return Err(arg.unexpected()),
                }
                Ok(())
            });
        let address = address.map_err(|error| format!("{:?}", without_address(&error)))?;
        Ok((address, format!("{queue} {quorum} {n:?}")))
    }

    fn address(given: &[&str], amqp_url: Option<&str>) -> Option<String> {
        read(given, amqp_url).unwrap().0
    }

    #[test]
    fn the_last_given_address_counts() {
        assert_eq!(address(&[], None), None);
        assert_eq!(address(&[], Some("there")).unwrap(), "there");
        assert_eq!(address(&["--broker", "here"], Some("there")).unwrap(), "here");
        assert_eq!(address(&["--broker=here", "--broker=near"], None).unwrap(), "near");
    }

    #[test]
    fn a_programs_own_arguments_may_be_anywhere() {
        let given = ["--quorum", "--broker", ADDRESS, "7", "--queue=mine"];
        let expected = (Some(ADDRESS.to_owned()), "mine true Some(7)".to_owned());
        assert_eq!(read(&given, None).unwrap(), expected);
    }

    #[test]
    fn errors_are_one_line_without_addresses() {
        for (given, expected) in [
            (["--broker"].as_slice(), "missing argument for option '--broker'"),
            (&["--quorm"], "invalid option '--quorm'"),
            (&["-5"], "invalid option '-5'"),
            (&["--quorum=yes"], "unexpected argument for option '--quorum': \"yes\""),
            (&["many"], "cannot parse argument \"many\": invalid digit found in string"),
            (&["1", "2"], "unexpected argument \"2\""),
            (&[ADDRESS], "an address where none is expected"),
            (&["--quorum=amqp://user:secret@here"], "an address where none is expected"),
            (&["--broker:amqp://user:secret@here"], "an address where none is expected"),
        ] {
            let expected = format!("{expected}; see --help");
            assert_eq!(read(given, None).unwrap_err(), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_address_without_unicode_is_not_shown() {
        use std::os::unix::ffi::OsStringExt as _;

        let address = OsString::from_vec(b"secret\xff".to_vec());
        let none = Parser::from_args([""; 0]);
        let failure = broker(none, Some(address), "", &mut |_, _| Ok(())).unwrap_err();
        assert_eq!(failure.to_string(), "the address of RabbitMQ is not Unicode");
    }
}
