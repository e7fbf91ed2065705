//! A service as data: what its trait said, readable at run time.
//!
//! Programs read descriptors. Only generated code makes them, through `__private`, of the parts that it knows: so a later
//! version, or a feature, can add a field.

use std::time::Duration;

#[cfg(feature = "schemars")]
use super::MethodSchemas;
use super::{Signature, trace::Traced};
use crate::codec::{ArgumentDescriptor, Encoding};

/// What a service is: its names, its defaults and its methods, as written at its trait.
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
    /// The service's name: the trait's, or what `name = "…"` says.
    pub name: &'static str,
    /// The number given by `version = …`.
    pub version: Option<u32>,
    /// The queue that carries its requests: the name (with `.v<version>`), or what `queue = "…"` says.
    pub queue: &'static str,
    /// The encoding of its callers, and of requests that do not name one.
    pub encoding: Encoding,
    /// How long its callers wait when nothing nearer the call says otherwise.
    pub timeout: Option<Duration>,
    /// The trait's documentation.
    pub doc: &'static str,
    /// Its methods, in the order of the source.
    pub methods: &'static [&'static MethodDescriptor],
}

/// What one method is.
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
    /// Its result type, as written at the trait.
    pub returns: &'static str,
    /// How long its callers wait when the client and the call do not say otherwise.
    pub timeout: Option<Duration>,
    /// The caller does not wait for an answer.
    pub oneway: bool,
    /// A plain function, run where blocking does no harm.
    pub blocking: bool,
    /// Running it twice is the same as running it once, so the client may send it again.
    pub idempotent: bool,
    /// Never run again after a redelivery.
    pub at_most_once: bool,
    /// How long a cache may answer in its place; `None` if none may.
    pub cacheable: Option<Duration>,
    /// The method meant by a request that names none.
    pub default: bool,
    /// What its arguments and its result look like to bincode.
    pub signature: Signature,
    /// What its types look like in JSON, where their authors derive it.
    #[cfg(feature = "schemars")]
    pub schemas: MethodSchemas,
}

impl MethodDescriptor {
    /// Why an encoding cannot carry the method's types, and what to do.
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
    /// The method of this name on the wire.
    pub fn method(&self, name: &str) -> Option<&'static MethodDescriptor> {
        self.methods.iter().copied().find(|method| method.name == name)
    }

    /// The method meant by a request without a name: the one marked `default`, or the only one.
    pub fn default_method(&self) -> Option<&'static MethodDescriptor> {
        match self.methods {
            [only] => Some(only),
            several => several.iter().copied().find(|method| method.default),
        }
    }
}

/// What generated code makes a [`ServiceDescriptor`] of.
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

/// What generated code makes a [`MethodDescriptor`] of.
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
