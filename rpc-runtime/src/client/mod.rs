//! The caller's side: from a method of a generated client to a request on the wire, and back.

mod builder;
mod call;
mod draft;
mod exchange;
mod explained;
mod handle;
mod outgoing;
mod pending;
mod retry;
mod running;
mod unordered;
mod unserved;
mod untyped;

pub use builder::{ClientBuilder, Stub, client_builder};
pub use call::Call;
pub(crate) use exchange::send;
pub use explained::Explained;
pub use handle::Client;
pub(crate) use outgoing::Outgoing;
#[cfg(any(test, feature = "bench"))]
pub(crate) use pending::Outcome;
#[cfg(test)]
pub(crate) use pending::Ticket;
pub(crate) use pending::{Pending, Slot};
pub(crate) use retry::RetryBudget;
pub use unserved::WhenUnserved;
pub(crate) use unserved::{QueueWatch, Watches};
pub use untyped::{UntypedCall, UntypedClient, UntypedReply};
