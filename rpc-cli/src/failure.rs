//! Why a command ends without what it was asked for, as a sentence and as an exit code.

use std::{error::Error, process::ExitCode};

use anstyle::{AnsiColor, Style};
use rpc_runtime::{BrokerError, BrokerErrorKind};

use crate::show::clean;

/// What kind of failure it is; its number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The method returned its own error, or the server refused the call.
    Error = 1,
    /// The command is not one; clap ends with the same.
    Usage = 2,
    /// Nobody is there to answer.
    NoServer = 3,
    /// No answer came in time.
    Timeout = 4,
    /// RabbitMQ is out of reach, or refuses.
    Broker = 5,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    /// What can be done about it.
    remedy: Option<String>,
    /// Nobody reads the output any more, and nothing failed.
    unread: bool,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), remedy: None, unread: false }
    }

    /// What went wrong, without the remedy.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The program that read the output has ended, as `head` does when it has enough: that is silent, and no failure.
    pub(crate) fn unread() -> Self {
        Self { unread: true, ..Self::new(Kind::Error, "nobody reads the output") }
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Says it, in colour where it goes to a terminal.
    pub(crate) fn report(&self) -> ExitCode {
        if self.unread {
            return ExitCode::SUCCESS;
        }
        let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
        anstream::eprintln!("{red}error:{red:#} {}", clean(&self.message));
        if let Some(remedy) = &self.remedy {
            anstream::eprintln!("  {}", clean(remedy));
        }
        ExitCode::from(self.kind as u8)
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        let said = in_full(&error);
        let remedy = match error.kind() {
            _ if said.contains("user_id") => Some(
                "RabbitMQ knows this user by another name: write that name into the address, or leave it out with --anonymous",
            ),
            BrokerErrorKind::InvalidAddress => {
                Some("set AMQP_URL, or --url, to the address of RabbitMQ")
            }
            BrokerErrorKind::Unreachable => {
                Some("is RabbitMQ running there? AMQP_URL, or --url, says where it is")
            }
            BrokerErrorKind::CredentialsRefused => {
                Some("check the user and the password in AMQP_URL, or in --url")
            }
            BrokerErrorKind::VirtualHostRefused => {
                Some("check the virtual host, the last part of the address")
            }
            BrokerErrorKind::NotPermitted => Some(
                "to ask servers, a user needs the right to write to the exchange rpc.discovery, and to have a queue that begins with amq.gen-",
            ),
            _ => None,
        };
        let failure = Self::new(Kind::Broker, said);
        match remedy {
            Some(remedy) => failure.remedy(remedy),
            None => failure,
        }
    }
}

/// An error with its causes.
pub(crate) fn in_full(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let because = error.to_string();
        if !said.contains(&because) {
            said = format!("{said}: {because}");
        }
        cause = error.source();
    }
    said
}
