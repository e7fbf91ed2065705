//! The errors of calls, connections and servers.

mod broker;
mod call;
mod failure;
mod layer;
mod sentence;

pub use broker::{BrokerError, BrokerErrorKind};
pub use call::{CallError, TooLarge};
pub use failure::CallFailure;
pub(crate) use failure::{Ended, Facts, Obstacle};
pub use layer::LayerError;
