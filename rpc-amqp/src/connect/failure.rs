//! Why a connection to a place failed.

use std::{io, time::Duration};

use crate::CloseReason;

/// AMQP's reply code for a refused login or a missing permission.
pub(super) const ACCESS_REFUSED: u16 = 403;

/// Why a connection to a place failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The broker closed the connection.
    Refused(CloseReason),
    /// The peer breaks AMQP's rules. The text completes "what answers at …".
    Unfit(&'static str),
    /// The broker does not offer the wanted SASL mechanism. These are the mechanisms that it offers.
    Mechanisms(String),
    /// The connection could not be encrypted.
    Insecure(io::Error),
    /// TLS was asked for, and the peer does not speak TLS.
    #[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "made where there is TLS"))]
    Plain,
    /// The host name could not be resolved.
    Unresolved(io::Error),
    /// Nothing was received within this time.
    Silent {
        /// Whether the TCP connection was accepted.
        reached: bool,
        within: Duration,
    },
    /// The broker allows too few channels.
    Channels {
        allowed: u16,
        needed: u16,
    },
    Lost(io::Error),
}

impl Failure {
    /// The broker refuses this login.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            // If one node is at its limit, another node may have room.
            Self::Refused(reason) => reason.code == ACCESS_REFUSED,
            Self::Mechanisms(_) => true,
            Self::Unfit(what) => [HUNG_UP, HUNG_UP_LONG].contains(what),
            _ => false,
        }
    }

    /// Whether a retry is likely to fail unless somebody starts a broker there.
    pub(super) fn is_hopeless(&self) -> bool {
        match self {
            Self::Lost(error) => error.kind() == io::ErrorKind::ConnectionRefused,
            // A bad certificate, for example, stays bad. After a lost connection, a retry may succeed.
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

/// Above this size of user and password, in bytes, a login may not fit into the first frame that RabbitMQ accepts.
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
