//! What can go wrong, for a caller and for whoever connects or serves.

mod broker;
mod call;
mod causes;
mod failure;
mod sentence;

pub use broker::{BrokerError, BrokerErrorKind};
pub use call::{CallError, TooLarge};
pub(crate) use causes::{debug_as_sentence, with_causes};
pub use failure::CallFailure;
pub(crate) use failure::{Ended, Facts};
