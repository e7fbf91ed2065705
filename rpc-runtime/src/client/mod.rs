//! The caller's side: from a method of a generated client to a request on the wire, and back.

mod builder;
mod call;
mod draft;
mod exchange;
mod explained;
mod handle;
mod ids;
mod in_flight;
mod outgoing;
mod running;
mod session;
mod unordered;
mod unserved;
mod untyped;
mod verdict;

pub use builder::{ClientBuilder, Stub};
pub use call::Call;
pub use explained::Explained;
pub use handle::Client;
#[cfg(feature = "bench")]
pub(crate) use ids::random as random_id;
#[cfg(test)]
pub(crate) use in_flight::CallGuard;
#[cfg(any(test, feature = "bench"))]
pub(crate) use in_flight::InFlight;
#[cfg(any(test, feature = "bench"))]
pub(crate) use in_flight::Outcome;
use outgoing::Outgoing;
pub use session::WhenFull;
pub(crate) use session::{Session, SessionLimits};
pub use unserved::WhenUnserved;
pub use untyped::{UntypedCall, UntypedClient, UntypedReply};
