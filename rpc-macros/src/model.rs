//! A service that passed every check. The code is generated from it.

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::{Ident, Token, Type, Visibility};

use crate::syntax::{ServiceTrait, TraitMethod};

/// A checked service.
pub(crate) struct Service<'a> {
    /// The trait itself.
    pub(crate) written: &'a ServiceTrait,
    /// The path of the runtime's hidden module.
    pub(crate) private: TokenStream,
    /// `FibonacciClient`.
    pub(crate) client: Ident,
    /// `FibonacciServer`.
    pub(crate) server: Ident,
    pub(crate) name: String,
    pub(crate) version: Option<u32>,
    pub(crate) queue: String,
    pub(crate) encoding: Encoding,
    pub(crate) timeout: Option<Duration>,
    pub(crate) methods: Vec<Method<'a>>,
}

/// One method of a service.
#[allow(clippy::struct_excessive_bools, reason = "each is an independent option of the method")]
pub(crate) struct Method<'a> {
    /// The method itself.
    pub(crate) written: &'a TraitMethod,
    /// The marker type of the method in generated code.
    pub(crate) marker: Ident,
    /// The constant for whether its result type is a `Result`.
    pub(crate) fallible: Ident,
    /// The static that describes it.
    pub(crate) descriptor: Ident,
    pub(crate) wire_name: String,
    pub(crate) arguments: Vec<Argument<'a>>,
    pub(crate) returns: Type,
    pub(crate) kind: Kind,
    pub(crate) timeout: Option<Duration>,
    pub(crate) oneway: bool,
    pub(crate) idempotent: bool,
    pub(crate) at_most_once: bool,
    pub(crate) cacheable: Option<Duration>,
    pub(crate) default: bool,
}

/// How a method runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `async fn`.
    Asynchronous(Token![async]),
    /// `#[rpc(blocking)] fn`.
    Blocking,
}

/// One argument of a method.
pub(crate) struct Argument<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
}

/// The encoding of requests and replies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Encoding {
    #[default]
    Bincode,
    Json,
    Text,
}

impl Service<'_> {
    pub(crate) fn ident(&self) -> &Ident {
        &self.written.ident
    }

    pub(crate) fn vis(&self) -> &Visibility {
        &self.written.vis
    }
}

impl Method<'_> {
    pub(crate) fn ident(&self) -> &Ident {
        &self.written.sig.ident
    }
}
