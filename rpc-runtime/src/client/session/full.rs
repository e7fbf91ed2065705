//! What a call does while too many are in flight.

use crate::connection::Unavailable;

/// What a call does while the maximum number of calls is in flight: see
/// [`BrokerBuilder::when_full`](crate::BrokerBuilder::when_full).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenFull {
    /// It waits until another call ends, or until its own deadline.
    Wait,
    /// It ends at once, refused as `overloaded`. The request was not sent.
    #[default]
    Refuse,
}

/// The older form of this option: [`Unavailable::Fail`] means [`WhenFull::Refuse`].
impl From<Unavailable> for WhenFull {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::Wait => Self::Wait,
            Unavailable::Fail => Self::Refuse,
        }
    }
}
