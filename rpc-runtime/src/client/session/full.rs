//! What a call does while there is no room for it.

use crate::connection::Unavailable;

/// What a call does while as many are in flight as allowed: see
/// [`BrokerBuilder::when_full`](crate::BrokerBuilder::when_full).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenFull {
    /// It waits for one of them to end, until its own deadline.
    Wait,
    /// It ends at once, refused as `overloaded`: the request was not sent.
    #[default]
    Refuse,
}

/// The older spelling of this option: [`Unavailable::Fail`] stands for [`WhenFull::Refuse`].
impl From<Unavailable> for WhenFull {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::Wait => Self::Wait,
            Unavailable::Fail => Self::Refuse,
        }
    }
}
