//! One argument: a name and an owned type.

use syn::{Pat, PatType};

use super::types;
use crate::{
    errors::{Errors, Fault},
    model::Argument,
    tidy,
};

pub(super) fn check<'a>(argument: &'a PatType, errors: &Errors) -> Option<Argument<'a>> {
    for attribute in &argument.attrs {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            let fault = Fault::new(attribute, "an argument cannot be conditional")
                .note("the two sides would disagree about the content of a message")
                .help("make it an `Option`, or write the method twice under a `#[cfg(…)]` and two names");
            errors.push(fault);
        }
    }
    types::check(&argument.ty, types::Place::Argument, errors);
    let ty = tidy::text(&argument.ty);
    let fault = match &*argument.pat {
        Pat::Ident(name) => {
            let ident = &name.ident;
            if let Some(by_ref) = &name.by_ref {
                Fault::new(by_ref, "an argument of a service cannot be `ref`")
                    .note("the `impl` decides how its body binds arguments")
                    .help(format!("write `{ident}: {ty}`"))
            } else if let Some(mutability) = &name.mutability {
                Fault::new(mutability, "an argument of a service cannot be `mut`")
                    .note("the `impl` decides how its body binds arguments, and may use `mut`")
                    .help(format!("write `{ident}: {ty}`"))
            } else if let Some((at, _)) = &name.subpat {
                Fault::new(at, "an argument of a service cannot be a pattern")
                    .note(NAMES)
                    .help(format!("write `{ident}: {ty}`"))
            } else {
                return Some(Argument { ident, ty: &argument.ty });
            }
        }
        Pat::Wild(underscore) => Fault::new(underscore, "an argument of a service needs a name")
            .note(NAMES)
            .help(format!("name it: `unused: {ty}`")),
        pattern => Fault::new(pattern, "an argument of a service cannot be a pattern")
            .note(NAMES)
            .help(format!("name it, and take it apart in the `impl`: `value: {ty}`")),
    };
    errors.push(fault);
    None
}

const NAMES: &str =
    "callers that use JSON name the arguments, and the client's documentation shows the names";
