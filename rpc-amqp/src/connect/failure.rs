//! Why a place did not lead to a connection.

use std::{io, time::Duration};

use crate::CloseReason;

/// AMQP's reply code for a login, or a right, that the broker does not grant.
pub(super) const ACCESS_REFUSED: u16 = 403;

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Failure {
    /// The broker closed the connection.
    Refused(CloseReason),
    /// It does not speak AMQP as it should. The text completes "what answers at …".
    Unfit(&'static str),
    /// It does not offer the kind of login that was asked for, but these.
    Mechanisms(String),
    /// The connection could not be encrypted.
    Insecure(io::Error),
    /// The connection was to be encrypted, and what answered does not speak TLS.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "made where there is TLS"))]
    Plain,
    /// The name of the host could not be resolved.
    Unresolved(io::Error),
    /// Nothing came for so long.
    Silent {
        /// The connection was accepted.
        reached: bool,
        within: Duration,
    },
    /// Too few channels are allowed.
    Channels {
        allowed: u16,
        needed: u16,
    },
    Lost(io::Error),
}

impl Failure {
    /// The broker does not take this login.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            // Another node may have room where one is at its limit.
            Self::Refused(reason) => reason.code == ACCESS_REFUSED,
            Self::Mechanisms(_) => true,
            Self::Unfit(what) => [HUNG_UP, HUNG_UP_LONG].contains(what),
            _ => false,
        }
    }

    /// Nobody will ever answer, as far as can be known, unless somebody starts a broker there.
    pub(super) fn is_hopeless(&self) -> bool {
        match self {
            Self::Lost(error) => error.kind() == io::ErrorKind::ConnectionRefused,
            // A certificate, for example. A connection that was only lost may be better the next time.
            Self::Insecure(error) => {
                matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
            }
            Self::Unfit(what) => ![HUNG_UP, HUNG_UP_LONG].contains(what),
            Self::Unresolved(_) | Self::Plain => true,
            Self::Refused(_)
            | Self::Mechanisms(_)
            | Self::Silent { .. }
            | Self::Channels { .. } => false,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

pub(super) const HUNG_UP: &str = "hung up when it was shown the login";

/// A user and a password with which a login may not fit into the frame that RabbitMQ takes for it.
pub(super) const LONG_LOGIN: usize = 3_500;
pub(super) const HUNG_UP_LONG: &str = "hung up when it was shown the login: its password is long, and RabbitMQ takes a login of 4,096 \
                            bytes in all, of 8,192 from 4.1 on";
pub(super) const OUT_OF_TURN: Failure = Failure::Unfit("speaks AMQP, but out of turn");
pub(super) const NO_AMQP: Failure = Failure::Unfit(
    "does not speak AMQP 0-9-1: the port of RabbitMQ is 5672 by default, and 5671 with TLS",
);

pub(super) const HTTP: Failure = Failure::Unfit(
    "does not speak AMQP 0-9-1 but HTTP: the port of RabbitMQ is 5672 by default, and 15672 that of its web pages",
);

pub(super) const TLS: Failure = Failure::Unfit(
    "does not speak AMQP 0-9-1 but TLS: write amqps:// for it, or the port without TLS, which is 5672 by default",
);
