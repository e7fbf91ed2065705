//! A service as data: the contents of its trait, readable at run time.
//!
//! Programs only read descriptors. Generated code makes them through `__private`, from the parts that it knows. So a
//! later version, or a feature, can add a field.

use std::time::Duration;

#[cfg(feature = "schemars")]
use super::MethodSchemas;
use super::{Signature, trace::Traced};
use crate::codec::{ArgumentDescriptor, Encoding};

/// Describes a service: its names, its defaults and its methods, as written in its trait.
///
/// ```
/// use rpc_runtime::{Dispatch, rpc_service};
///
/// /// Adds.
/// #[rpc_service(version = 2)]
/// trait Adder {
///     async fn add(&self, a: u32, b: u32) -> u32;
/// }
///
/// struct Plain;
/// impl Adder for Plain {
///     async fn add(&self, a: u32, b: u32) -> u32 {
///         a + b
///     }
/// }
///
/// let server = AdderServer::new(Plain);
/// let service = server.descriptor();
/// assert_eq!((service.name, service.queue), ("Adder", "Adder.v2"));
/// assert_eq!(service.methods[0].arguments[1].name, "b");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct ServiceDescriptor {
    /// The service's name: the trait's name, or the value of `name = "…"`.
    pub name: &'static str,
    /// The value of `version = …`.
    pub version: Option<u32>,
    /// The queue for its requests: the name (with `.v<version>`), or the value of `queue = "…"`.
    pub queue: &'static str,
    /// The encoding of its callers, and of requests without a content type.
    pub encoding: Encoding,
    /// The default timeout of its callers. The method, the client and the call can override it.
    pub timeout: Option<Duration>,
    /// The trait's documentation.
    pub doc: &'static str,
    /// Its methods, in source order.
    pub methods: &'static [&'static MethodDescriptor],
}

/// Describes one method.
#[derive(Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option that stands alone at the method"
)]
#[non_exhaustive]
pub struct MethodDescriptor {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// Its arguments, in order.
    pub arguments: &'static [ArgumentDescriptor],
    /// Its result type, as written in the trait.
    pub returns: &'static str,
    /// The default timeout of its callers. The client and the call can override it.
    pub timeout: Option<Duration>,
    /// One-way: the caller does not wait for a reply.
    pub oneway: bool,
    /// A synchronous function, which runs on a thread that may block.
    pub blocking: bool,
    /// Running it twice has the same effect as running it once, so the client may send it again.
    pub idempotent: bool,
    /// At most once: it does not run again after a redelivery.
    pub at_most_once: bool,
    /// How long a cache may keep its result. `None` if it must not.
    pub cacheable: Option<Duration>,
    /// Requests without a method name go to this method.
    pub default: bool,
    /// The signature of its arguments and its result in bincode.
    pub signature: Signature,
    /// The JSON Schemas of those types that derive one.
    #[cfg(feature = "schemars")]
    pub schemas: MethodSchemas,
}

impl MethodDescriptor {
    /// Why an encoding cannot carry the method's types, and how to fix that.
    pub(crate) fn misfit(&self, encoding: Encoding) -> Option<String> {
        let misfit = match encoding {
            Encoding::Bincode => self.signature.misfit()?,
            _ => return None,
        };
        Some(format!(
            "{misfit}; write the trait as `#[rpc_service(encoding = \"json\")]`, or change the type"
        ))
    }
}

impl ServiceDescriptor {
    /// The method with this name on the wire.
    pub fn method(&self, name: &str) -> Option<&'static MethodDescriptor> {
        self.methods.iter().copied().find(|method| method.name == name)
    }

    /// The method for requests without a name: the one marked `default`, or the only one.
    pub fn default_method(&self) -> Option<&'static MethodDescriptor> {
        match self.methods {
            [only] => Some(only),
            several => several.iter().copied().find(|method| method.default),
        }
    }
}

/// The parts that generated code makes a [`ServiceDescriptor`] of.
#[derive(Debug)]
#[allow(missing_docs, reason = "as in the descriptor")]
pub struct ServiceParts {
    pub name: &'static str,
    pub version: Option<u32>,
    pub queue: &'static str,
    pub encoding: Encoding,
    pub timeout: Option<Duration>,
    pub doc: &'static str,
    pub methods: &'static [&'static MethodDescriptor],
}

/// The parts that generated code makes a [`MethodDescriptor`] of.
#[derive(Debug)]
#[allow(missing_docs, reason = "as in the descriptor")]
#[allow(clippy::struct_excessive_bools, reason = "as in the descriptor")]
pub struct MethodParts {
    pub name: &'static str,
    pub doc: &'static str,
    pub arguments: &'static [ArgumentDescriptor],
    pub returns: &'static str,
    pub timeout: Option<Duration>,
    pub oneway: bool,
    pub blocking: bool,
    pub idempotent: bool,
    pub at_most_once: bool,
    pub cacheable: Option<Duration>,
    pub default: bool,
    pub signature: fn() -> Traced,
    #[cfg(feature = "schemars")]
    pub schemas: MethodSchemas,
}

/// The descriptor of a service.
#[allow(clippy::needless_pass_by_value, reason = "parts are made to be taken apart")]
pub const fn service(parts: ServiceParts) -> ServiceDescriptor {
    let ServiceParts { name, version, queue, encoding, timeout, doc, methods } = parts;
    ServiceDescriptor { name, version, queue, encoding, timeout, doc, methods }
}

/// The descriptor of a method.
#[allow(clippy::needless_pass_by_value, reason = "parts are made to be taken apart")]
pub const fn method(parts: MethodParts) -> MethodDescriptor {
    MethodDescriptor {
        name: parts.name,
        doc: parts.doc,
        arguments: parts.arguments,
        returns: parts.returns,
        timeout: parts.timeout,
        oneway: parts.oneway,
        blocking: parts.blocking,
        idempotent: parts.idempotent,
        at_most_once: parts.at_most_once,
        cacheable: parts.cacheable,
        default: parts.default,
        signature: Signature::new(parts.signature),
        #[cfg(feature = "schemars")]
        schemas: parts.schemas,
    }
}

/// An argument in a descriptor.
pub const fn argument(name: &'static str, ty: &'static str) -> ArgumentDescriptor {
    ArgumentDescriptor { name, ty }
}
