//! The options of a method: `#[rpc(…)]`.

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::{Attribute, Meta};

use super::{Given, Level, entry::entries, value};
use crate::errors::{Errors, Fault};

#[derive(Default)]
pub(crate) struct MethodOptions {
    pub(crate) name: Option<Given<String>>,
    pub(crate) timeout: Option<Given<Duration>>,
    pub(crate) oneway: Option<Given<()>>,
    pub(crate) blocking: Option<Given<()>>,
    pub(crate) idempotent: Option<Given<()>>,
    pub(crate) at_most_once: Option<Given<()>>,
    pub(crate) cacheable: Option<Given<Duration>>,
    pub(crate) default: Option<Given<()>>,
}

/// Reads every `#[rpc(…)]` of a method as one list.
pub(crate) fn read(attributes: &[Attribute], errors: &Errors) -> MethodOptions {
    let lists = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("rpc"))
        .filter_map(|attribute| list(attribute, errors))
        .collect();
    let mut options = MethodOptions::default();
    for entry in entries(lists, Level::Method, errors) {
        match entry.key.to_string().as_str() {
            "name" => options.name = value::string(entry, "name = \"fib\"", errors),
            "timeout" => options.timeout = value::duration(entry, "timeout", errors),
            "oneway" => options.oneway = value::flag(entry, errors),
            "blocking" => options.blocking = value::flag(entry, errors),
            "idempotent" => options.idempotent = value::flag(entry, errors),
            "cacheable" => options.cacheable = value::duration(entry, "lifetime", errors),
            "at_most_once" => options.at_most_once = value::flag(entry, errors),
            // `entries` lets no other key of this level through.
            _ => options.default = value::flag(entry, errors),
        }
    }
    options
}

fn list(attribute: &Attribute, errors: &Errors) -> Option<TokenStream> {
    match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => Some(list.tokens.clone()),
        _ => {
            let fault = Fault::new(attribute, "`#[rpc]` has no options here")
                .help("write an option in it, as in `#[rpc(oneway)]`, or leave it out: every method of the trait can be called");
            errors.push(fault);
            None
        }
    }
}
