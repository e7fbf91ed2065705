//! Checks the syntax of a trait and makes the model of its service. All faults are reported; none hides another.

mod argument;
mod corrected;
mod item;
mod method;
mod naming;
mod options;
mod receiver;
mod text_encoding;
mod types;

use proc_macro2::TokenStream;
use quote::format_ident;

use crate::{
    attributes,
    errors::Errors,
    model::{Method, Service},
    options::{
        method::{self as method_options, MethodOptions},
        service::ServiceOptions,
    },
    syntax::{ServiceTrait, TraitMethod},
};

/// The service, if it has no faults. Faults go to `errors`.
pub(crate) fn service<'a>(
    written: &'a ServiceTrait,
    options: &ServiceOptions,
    errors: &Errors,
) -> Option<Service<'a>> {
    item::check(written, errors);
    let naming = naming::of_service(written, options, errors);
    let drafts: Vec<Draft<'a>> =
        written.methods().map(|method| Draft::read(method, errors)).collect();
    let checked: Vec<Option<Method<'a>>> = drafts
        .iter()
        .enumerate()
        .map(|(index, draft)| method::check(index, draft, errors))
        .collect();
    naming::distinct_methods(&drafts, errors);
    options::one_default(&drafts, errors);
    let encoding = options.encoding.as_ref().map(|given| given.value).unwrap_or_default();
    text_encoding::check(written, options.encoding.as_ref(), errors);
    Some(Service {
        written,
        private: options.private(),
        client: format_ident!("{}Client", written.ident),
        server: format_ident!("{}Server", written.ident),
        name: naming.name,
        version: options.version.as_ref().map(|given| given.value),
        queue: naming.queue,
        encoding,
        timeout: options.timeout.as_ref().map(|given| given.value),
        methods: checked.into_iter().collect::<Option<_>>()?,
    })
}

/// A method whose options are read, but not yet checked.
struct Draft<'a> {
    written: &'a TraitMethod,
    options: MethodOptions,
}

impl<'a> Draft<'a> {
    fn read(written: &'a TraitMethod, errors: &Errors) -> Self {
        Self { written, options: method_options::read(&written.attrs, errors) }
    }
}

/// The `#[cfg]`s under which both methods exist.
fn conditions(earlier: &Draft<'_>, later: &Draft<'_>) -> TokenStream {
    [earlier, later].into_iter().map(|draft| attributes::conditions(&draft.written.attrs)).collect()
}

/// All pairs of an element and a later one.
fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
    all.iter()
        .enumerate()
        .flat_map(|(index, later)| all.iter().take(index).map(move |earlier| (earlier, later)))
}
