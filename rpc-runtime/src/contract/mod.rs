//! What the macro says of a service, and what it asks of its types.

mod descriptor;
mod method;
mod method_codec;
mod payload;
mod returns;
#[cfg(feature = "schemars")]
mod schema;
mod signature;
mod trace;

pub use crate::codec::ArgumentDescriptor;
pub use descriptor::{
    MethodDescriptor, MethodParts, ServiceDescriptor, ServiceParts, argument, method, service,
};
pub(crate) use method::Given;
pub(crate) use method::Tuple;
pub use method::{Argument, Arguments, Method, signature_of};
#[cfg(feature = "schemars")]
pub use method::{ErrorOf, ValueOf};
pub use method_codec::MethodCodec;
pub use payload::Payload;
pub use returns::{Fallback, Probe};
pub(crate) use returns::{ReturnType, Returns, Shape};
#[cfg(feature = "schemars")]
pub use schema::{MethodSchemas, NoSchema, SchemaProbe, schemas};
pub use signature::Signature;
pub(crate) use signature::signature;
