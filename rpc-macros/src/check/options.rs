//! Options that contradict each other or their method.

use quote::ToTokens as _;
use syn::Type;

use super::{Draft, conditions, pairs};
use crate::{
    errors::{Errors, Fault},
    options::method::MethodOptions,
    syntax::TraitMethod,
    tidy,
    words::Words,
};

pub(super) fn check(written: &TraitMethod, options: &MethodOptions, errors: &Errors) {
    cacheable(written, options, errors);
    if let Some(oneway) = &options.oneway {
        if let Some(ty) = written.returns().filter(|ty| !is_unit(ty)) {
            let fault = Fault::new(ty, "a one-way method has no result")
                .note("its caller does not wait for a result")
                .help(format!("leave `-> {}` out, or `oneway`", tidy::text(ty)))
                .also(&oneway.key, "`oneway` is here");
            errors.push(fault);
        }
        if let Some(timeout) = &options.timeout {
            let fault = Fault::new(&timeout.key, "a one-way method has no timeout")
                .note("its caller does not wait for a reply")
                .help("leave `timeout` out, or `oneway`")
                .also(&oneway.key, "`oneway` is here");
            errors.push(fault);
        }
    }
    if let (Some(idempotent), Some(at_most_once)) = (&options.idempotent, &options.at_most_once) {
        let fault = Fault::new(
            &at_most_once.key,
            "a method cannot be both `idempotent` and `at_most_once`",
        )
        .note("`idempotent` lets a request be sent and run again, and `at_most_once` forbids it")
        .help("keep `idempotent` if running it twice does no harm, else `at_most_once`")
        .also(&idempotent.key, "`idempotent` is here");
        errors.push(fault);
    }
}

/// `cacheable` needs arguments that identify a call, a result, and a method that may be skipped or run again.
fn cacheable(written: &TraitMethod, options: &MethodOptions, errors: &Errors) {
    let Some(cacheable) = &options.cacheable else { return };
    for argument in written.arguments() {
        let Some(hashed) = Words::find(argument.ty.to_token_stream()).hashed else { continue };
        let ordered = if hashed == "HashMap" { "BTreeMap" } else { "BTreeSet" };
        let fault = Fault::new(
            &hashed,
            format!("an argument of a `cacheable` method cannot have a `{hashed}`"),
        )
        .note("it is serialized in another order each time, and a cache finds a result by the serialized arguments")
        .help(format!("take a `{ordered}`, or leave `cacheable` out"))
        .also(&cacheable.key, "`cacheable` is here");
        errors.push(fault);
    }
    if let Some(oneway) = &options.oneway {
        let fault = Fault::new(&cacheable.key, "a one-way method has no result to cache")
            .help("leave `cacheable` out, or `oneway`")
            .also(&oneway.key, "`oneway` is here");
        errors.push(fault);
    }
    if let Some(at_most_once) = &options.at_most_once {
        let fault = Fault::new(
            &cacheable.key,
            "a method cannot be both `cacheable` and `at_most_once`",
        )
        .note("`cacheable` lets a cache answer in place of the method, which is for methods that change nothing")
        .help("keep `cacheable` if it changes nothing, else `at_most_once`")
        .also(&at_most_once.key, "`at_most_once` is here");
        errors.push(fault);
    }
}

/// Reports a second `default` method, also if `#[cfg]`s decide whether both exist.
pub(super) fn one_default(drafts: &[Draft<'_>], errors: &Errors) {
    let defaults: Vec<_> =
        drafts.iter().filter_map(|draft| Some((draft, draft.options.default.as_ref()?))).collect();
    for ((earlier_draft, earlier), (later_draft, later)) in pairs(&defaults) {
        let fault = Fault::new(&later.key, "two methods are `default`")
            .note("a request without a method name can run only one method")
            .help("keep one")
            .also(&earlier.key, "the other `default` is here");
        errors.push_if(&conditions(earlier_draft, later_draft), fault);
    }
}

fn is_unit(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Group(group) => is_unit(&group.elem),
        Type::Paren(paren) => is_unit(&paren.elem),
        _ => false,
    }
}
