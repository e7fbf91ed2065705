//! What the macro says of a service, and what it asks of its types.

mod descriptor;
mod method;
mod payload;
mod returns;
mod signature;
mod trace;

pub use descriptor::{ArgumentDescriptor, MethodDescriptor, ServiceDescriptor};
pub use method::{Argument, Arguments, Method, Tuple, asynchronous, blocking, call, signature_of};
pub use payload::Payload;
pub use returns::{EncodedReply, Fallback, Probe, Reply, Returns, Shape};
pub use signature::{Signature, signature};
