//! Checks of one method: its signature, its arguments, its result.

use quote::{ToTokens, format_ident};
use syn::{Safety, Type, TypeTuple, token::Paren};

use super::{Draft, argument, corrected, naming, options as option_rules, receiver, types};
use crate::{
    attributes,
    errors::{Errors, Fault},
    model::{Argument, Kind, Method},
    options::method::MethodOptions,
    syntax::TraitMethod,
    tidy,
};

/// serde supports tuples of up to 16 elements.
const MOST_ARGUMENTS: usize = 16;

pub(super) fn check<'a>(index: usize, draft: &Draft<'a>, errors: &Errors) -> Option<Method<'a>> {
    let Draft { written, options } = draft;
    attributes_of(written, errors);
    qualifiers(written, errors);
    let kind = kind(written, options, errors);
    receiver::check(written, errors);
    generics(written, errors);
    let arguments = arguments(written, errors);
    if let Some(ty) = written.returns().filter(|ty| future_output(ty).is_none()) {
        types::check(ty, types::Place::Result, errors);
    }
    option_rules::check(written, options, errors);
    let wire_name = naming::of_method(written, options, errors);
    Some(Method {
        written,
        marker: format_ident!("__RpcMethod{index}"),
        fallible: format_ident!("__RPC_FALLIBLE_{index}"),
        descriptor: format_ident!("__RPC_METHOD_{index}"),
        wire_name: wire_name?,
        arguments: arguments?,
        returns: written.returns().cloned().unwrap_or_else(|| unit(written)),
        kind: kind?,
        timeout: options.timeout.as_ref().map(|given| given.value),
        oneway: options.oneway.is_some(),
        idempotent: options.idempotent.is_some(),
        at_most_once: options.at_most_once.is_some(),
        cacheable: options.cacheable.as_ref().map(|given| given.value),
        default: options.default.is_some(),
    })
}

fn unit(written: &TraitMethod) -> Type {
    let paren_token = Paren(written.sig.ident.span());
    Type::Tuple(TypeTuple {
        attrs: Vec::new(),
        paren_token,
        elems: syn::punctuated::Punctuated::new(),
    })
}

fn arguments<'a>(written: &'a TraitMethod, errors: &Errors) -> Option<Vec<Argument<'a>>> {
    let checked: Vec<_> =
        written.arguments().map(|argument| argument::check(argument, errors)).collect();
    if let Some(first_too_many) = written.arguments().nth(MOST_ARGUMENTS) {
        let count = checked.len();
        let fault =
            Fault::new(first_too_many, format!("{count} arguments are more than a method can have"))
                .note(format!(
                    "arguments are sent as one tuple, and the longest tuple of serde has length {MOST_ARGUMENTS}"
                ))
                .help("put them into a struct, and take that as the argument");
        errors.push(fault);
    }
    checked.into_iter().collect()
}

fn attributes_of(written: &TraitMethod, errors: &Errors) {
    for attribute in &written.attrs {
        if attributes::is_service(attribute) {
            let fault = Fault::new(attribute, "`#[rpc_service]` belongs on a trait")
                .help("write the options of a method in `#[rpc(…)]`");
            errors.push(fault);
        }
        let hidden = attributes::conditional(attribute).unwrap_or_default();
        if let Some(ours) = hidden.iter().find(|meta| meta.path().is_ident("rpc")) {
            let fault = Fault::new(ours, "`#[rpc(…)]` cannot be inside a `cfg_attr`")
                .note("the macro runs before the condition is known")
                .help("write the method twice, each with a `#[cfg(…)]` and its own `#[rpc(…)]`");
            errors.push(fault);
        }
    }
}

fn qualifiers(written: &TraitMethod, errors: &Errors) {
    let sig = &written.sig;
    let refuse = |at: &dyn ToTokens, what: &str, reason: &str| {
        let fault =
            Fault::new(&at.to_token_stream(), format!("a method of a service cannot be {what}"))
                .note(reason)
                .help("leave it out");
        errors.push(fault);
    };
    if let Some(token) = &sig.constness {
        refuse(token, "`const`", "it runs in another process, not at compile time");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        refuse(token, "`unsafe`", "a caller in another process cannot uphold safety conditions");
    }
    if let Safety::Safe(token) = &sig.safety {
        refuse(token, "`safe`", "only functions of an `extern` block can be `safe`");
    }
    if let Some(abi) = &sig.abi {
        refuse(abi, "`extern`", "calls arrive as messages, not by a calling convention");
    }
    if let Some(variadic) = &sig.variadic {
        let fault = Fault::new(variadic, "a method of a service cannot be variadic")
            .note("both sides know the arguments by number and type")
            .help("take a `Vec`: `values: Vec<u32>`");
        errors.push(fault);
    }
}

/// Whether the method is `async` or `blocking`. It has to be exactly one.
fn kind(written: &TraitMethod, options: &MethodOptions, errors: &Errors) -> Option<Kind> {
    let name = &written.sig.ident;
    match (&written.sig.asyncness, &options.blocking) {
        (Some(token), None) => Some(Kind::Asynchronous(*token)),
        (None, Some(_)) => Some(Kind::Blocking),
        (Some(token), Some(blocking)) => {
            let fault = Fault::new(
                &blocking.key,
                format!("`{name}` cannot be both `blocking` and `async`"),
            )
            .note("a blocking method is a plain `fn`, run on threads of its own")
            .help("leave one of the two out")
            .also(token, "`async` is here");
            errors.push(fault);
            None
        }
        (None, None) => {
            let fault = Fault::new(
                &written.sig.fn_token,
                format!("`{name}` is neither `async` nor `blocking`"),
            )
            .note("a plain function would hold up every other call while it runs");
            errors.push(match written.returns().and_then(future_output) {
                Some(output) => fault.help(format!(
                    "write `async {}`, which returns the same future",
                    corrected::with_output(written, &format!(" -> {output}"))
                )),
                None => fault.help(format!(
                    "write `async {}`, or `#[rpc(blocking)]` above it to run it on threads of its own",
                    corrected::with_receiver(written)
                )),
            });
            None
        }
    }
}

/// The `T` of `impl Future<Output = T>`.
fn future_output(ty: &Type) -> Option<String> {
    let Type::ImplTrait(ty) = ty else { return None };
    ty.bounds.iter().find_map(|bound| {
        let syn::TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound.path.segments.last()?;
        let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            syn::GenericArgument::AssocType(output) if last.ident == "Future" => {
                Some(tidy::text(&output.ty))
            }
            _ => None,
        })
    })
}

fn generics(written: &TraitMethod, errors: &Errors) {
    let generics = &written.sig.generics;
    let lifetimes_only = generics.lifetimes().count() == generics.params.len();
    if !generics.params.is_empty() {
        let fault = if lifetimes_only {
            Fault::new(&generics.params, "a method of a service cannot have lifetimes")
                .note("arguments and results are copied into messages, so nothing is borrowed")
                .help(
                    "leave them out, and use owned types: `String` for `&str`, `Vec<T>` for `&[T]`",
                )
        } else {
            Fault::new(&generics.params, "a method of a service cannot be generic")
                .note("a message does not carry the types that its caller chose")
                .help("write the types out, with one method for each, or take an enum")
        };
        errors.push(fault);
    }
    if let Some(clause) = &generics.where_clause {
        let fault = Fault::new(clause, "a method of a service cannot have a `where` clause")
            .note("any caller can call every method")
            .help("leave it out");
        errors.push(fault);
    }
}
