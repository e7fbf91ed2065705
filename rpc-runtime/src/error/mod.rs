//! What can go wrong, for a caller and for whoever connects or serves.

mod broker;
mod call;

pub use broker::{BrokerError, BrokerErrorKind};
pub use call::{CallError, TooLarge};
