//! Checks of the trait itself.

use quote::ToTokens;
use syn::{TraitItem as Item, TypeParamBound};

use crate::{
    attributes,
    errors::{Errors, Fault},
    syntax::{ServiceTrait, TraitItem},
};

pub(super) fn check(written: &ServiceTrait, errors: &Errors) {
    attributes_of(written, errors);
    if let Some(unsafety) = &written.unsafety {
        let fault = Fault::new(unsafety, "a service trait cannot be `unsafe`")
            .note("the generated code calls the implementation, and cannot uphold its safety conditions")
            .help("leave `unsafe` out");
        errors.push(fault);
    }
    if let Some(auto) = &written.auto {
        let fault = Fault::new(auto, "a service trait cannot be `auto`")
            .note("a service is implemented by writing its methods")
            .help("leave `auto` out");
        errors.push(fault);
    }
    generics(written, errors);
    for bound in &written.supertraits {
        supertrait(bound, errors);
    }
    for item in &written.items {
        if let TraitItem::Other(item) = item {
            errors.push(not_a_method(item));
        }
    }
    if written.items.is_empty() {
        let fault =
            Fault::new(&written.ident, format!("the service `{}` has no methods", written.ident))
                .note("a service is called by its methods, so it needs at least one")
                .help("add one: `async fn ping(&self);`");
        errors.push(fault);
    }
}

fn attributes_of(written: &ServiceTrait, errors: &Errors) {
    for attribute in &written.attrs {
        let path = attribute.path();
        if attributes::is_service(attribute) {
            let fault = Fault::new(attribute, "`#[rpc_service]` is on this trait twice")
                .note("a trait is one service, with one name and one queue")
                .help("keep one, with all options in it");
            errors.push(fault);
        } else if path.is_ident("rpc") {
            let fault = Fault::new(attribute, "`#[rpc(…)]` belongs on a method")
                .help("write the options of the trait in `#[rpc_service(…)]`");
            errors.push(fault);
        } else if attributes::is_async_trait(attribute) {
            let fault = Fault::new(attribute, "`#[async_trait]` does not go together with `#[rpc_service]`")
                .note("the generated trait has no `async fn` that it could rewrite, and needs no boxed future")
                .help("remove it here and on every `impl`");
            errors.push(fault);
        }
    }
}

fn generics(written: &ServiceTrait, errors: &Errors) {
    if !written.generics.params.is_empty() {
        let fault =
            Fault::new(&written.generics.params, "a service trait cannot have generic parameters")
                .note("the queue and the names on the wire are the same for every caller")
                .help("write the types out, or declare one trait for each of them");
        errors.push(fault);
    }
    if let Some(clause) = &written.generics.where_clause {
        let fault = Fault::new(clause, "a service trait cannot have a `where` clause")
            .note("callers know the service by its methods alone, so a condition could not be checked for them")
            .help("put the bounds on the `impl` of the trait");
        errors.push(fault);
    }
}

fn supertrait(bound: &TypeParamBound, errors: &Errors) {
    let harmless = match bound {
        TypeParamBound::Lifetime(lifetime) => lifetime.ident == "static",
        TypeParamBound::Trait(bound) => {
            bound.maybe.is_none()
                && bound
                    .path
                    .segments
                    .last()
                    .is_some_and(|last| last.ident == "Send" || last.ident == "Sync")
        }
        _ => false,
    };
    if !harmless {
        let fault = Fault::new(bound, "a service trait cannot have a supertrait")
            .note("the methods of a supertrait cannot be called from another process; only `Send`, `Sync` and `'static` are allowed, because every service has them")
            .help("put the bound on the `impl` of the trait, or copy the methods into it");
        errors.push(fault);
    }
}

fn not_a_method(item: &Item) -> Fault {
    let (at, what, help) = match item {
        Item::Const(item) => (
            item.const_token.to_token_stream(),
            "a service trait cannot have an associated constant",
            "put it outside of the trait, or make it a method: `async fn limit(&self) -> u32;`",
        ),
        Item::Type(item) => (
            item.type_token.to_token_stream(),
            "a service trait cannot have an associated type",
            "write the type out where it is used",
        ),
        Item::Macro(item) => (
            item.mac.to_token_stream(),
            "a service trait cannot contain a macro",
            "write its methods out, or let the macro make the whole trait with `#[rpc_service]` on it",
        ),
        other => (
            other.to_token_stream(),
            "a service trait cannot contain this",
            "write methods: `async fn name(&self, argument: u32) -> u32;`",
        ),
    };
    let reason = match item {
        Item::Macro(_) => {
            "an attribute sees a macro before it is expanded, and would miss the methods in it"
        }
        _ => "callers use a service only through its methods",
    };
    Fault::new(&at, what).note(reason).help(help)
}
