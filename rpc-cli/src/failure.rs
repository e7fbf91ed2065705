//! The failure of a command: a message, a remedy and an exit code.

use std::{error::Error, process::ExitCode};

use anstyle::{AnsiColor, Style};
use rpc_runtime::{BrokerError, BrokerErrorKind};

use crate::show::clean;

/// The kind of a failure; its number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The method returned its own error, or the server refused the call.
    Error = 1,
    /// The command line is wrong; clap uses the same code.
    Usage = 2,
    /// No server is running.
    NoServer = 3,
    /// No reply came in time.
    Timeout = 4,
    /// RabbitMQ cannot be reached, or refuses.
    Broker = 5,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    /// What can be done about it.
    remedy: Option<String>,
    /// The output was closed by its reader, and nothing failed.
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

    /// The reader of the output has ended, as `head` does when it has enough. That is silent and no failure.
    pub(crate) fn unread() -> Self {
        Self { unread: true, ..Self::new(Kind::Error, "nobody reads the output") }
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Prints the failure, in colour on a terminal.
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
        let text = in_full(&error);
        let remedy = match error.kind() {
            _ if text.contains("user_id") => Some(
                "RabbitMQ knows this user by another name: use that name in the address, or leave it out with --anonymous",
            ),
            BrokerErrorKind::InvalidAddress => {
                Some("set AMQP_URL, or --url, to the address of RabbitMQ")
            }
            BrokerErrorKind::Unreachable => {
                Some("is RabbitMQ running there? set its address in AMQP_URL or with --url")
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
        let failure = Self::new(Kind::Broker, text);
        match remedy {
            Some(remedy) => failure.remedy(remedy),
            None => failure,
        }
    }
}

/// An error with its causes.
pub(crate) fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let because = error.to_string();
        if !text.contains(&because) {
            text = format!("{text}: {because}");
        }
        cause = error.source();
    }
    text
}
