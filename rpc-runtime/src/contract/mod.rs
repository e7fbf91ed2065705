//! What the macro says of a service, and what it asks of its types.

mod descriptor;
mod payload;
mod returns;
mod signature;
mod trace;

pub use descriptor::{ArgumentDescriptor, MethodDescriptor, ServiceDescriptor};
pub use payload::Payload;
pub use returns::{EncodedReply, Fallback, Probe, Reply, Returns, Shape};
pub use signature::{Signature, signature};
