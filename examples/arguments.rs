//! What a program is told on its command line.

use std::{env, ffi::OsString, path::Path, process};

use lexopt::{Arg, Parser, prelude::*};
use rpc_runtime::{Broker, BrokerError};

use crate::Failure;

/// Where RabbitMQ is, from `--broker` or `AMQP_URL`.
#[derive(Debug)]
pub struct BrokerArgs {
    /// The address of RabbitMQ, this machine's if nothing else is said.
    pub broker: String,
}

impl BrokerArgs {
    /// Reads the command line of a program that takes nothing else.
    ///
    /// # Errors
    ///
    /// There is something else.
    pub fn parse() -> Result<Self, Failure> {
        Self::parse_with("", |arg, _| Err(arg.unexpected()))
    }

    /// Reads the command line of a program that takes more, which `usage` shows and `take` is given.
    ///
    /// # Errors
    ///
    /// A value is missing, or `take` refuses.
    pub fn parse_with(
        usage: &str,
        mut take: impl FnMut(Arg<'_>, &mut Parser) -> Result<(), lexopt::Error>,
    ) -> Result<Self, Failure> {
        let broker = read(usage, "RabbitMQ on this machine", &mut take)?;
        let local = "amqp://guest:guest@localhost:5672/%2f";
        Ok(Self { broker: broker.unwrap_or_else(|| local.to_owned()) })
    }
}

/// Where RabbitMQ is, from `--broker` or `AMQP_URL`, if it is to be used.
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

    /// Connects, or makes a broker in memory.
    ///
    /// # Errors
    ///
    /// There is no RabbitMQ at the address, or it refuses.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up.
    pub async fn connect(self) -> Result<Broker, BrokerError> {
        // A variable that is set to nothing is as good as none.
        match self.broker.filter(|address| !address.is_empty()) {
            Some(address) => Broker::connect(&address).await,
            None => Ok(Broker::in_memory()),
        }
    }
}

/// What a program does with arguments of its own.
type Take<'a> = &'a mut dyn FnMut(Arg<'_>, &mut Parser) -> Result<(), lexopt::Error>;

fn read(usage: &str, default: &str, take: Take<'_>) -> Result<Option<String>, Failure> {
    let parser = Parser::from_env();
    let program = Path::new(parser.bin_name().unwrap_or_default()).file_stem().unwrap_or_default();
    let usage = format!("Usage: {} [--broker URL] {usage}", program.display());
    let help = format!("{}\n\n--broker defaults to AMQP_URL, or else {default}.", usage.trim_end());
    broker(parser, env::var_os("AMQP_URL"), &help, take).map_err(|error| without_address(&error))
}

/// The address that is given, or else `address`. All but `--broker` and `--help` is for `take`.
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
                // The parser lends its name, and cannot be asked for a value meanwhile.
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

/// An address has a password, and the parser's errors quote what is wrong.
fn without_address(error: &lexopt::Error) -> Failure {
    let error = error.to_string();
    let shown = if error.contains('@') { "an address where none is expected" } else { &error };
    format!("{shown}; --help shows what there is").into()
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
    fn the_command_line_goes_before_the_variable_and_its_end_before_its_beginning() {
        assert_eq!(address(&[], None), None);
        assert_eq!(address(&[], Some("there")).unwrap(), "there");
        assert_eq!(address(&["--broker", "here"], Some("there")).unwrap(), "here");
        assert_eq!(address(&["--broker=here", "--broker=near"], None).unwrap(), "near");
    }

    #[test]
    fn a_programs_own_arguments_stand_anywhere() {
        let given = ["--quorum", "--broker", ADDRESS, "7", "--queue=mine"];
        let expected = (Some(ADDRESS.to_owned()), "mine true Some(7)".to_owned());
        assert_eq!(read(&given, None).unwrap(), expected);
    }

    #[test]
    fn what_is_wrong_is_said_in_a_line_without_addresses() {
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
            let expected = format!("{expected}; --help shows what there is");
            assert_eq!(read(given, None).unwrap_err(), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_address_that_is_no_unicode_is_not_shown() {
        use std::os::unix::ffi::OsStringExt as _;

        let address = OsString::from_vec(b"secret\xff".to_vec());
        let none = Parser::from_args([""; 0]);
        let failure = broker(none, Some(address), "", &mut |_, _| Ok(())).unwrap_err();
        assert_eq!(failure.to_string(), "the address of RabbitMQ is not Unicode");
    }
}
