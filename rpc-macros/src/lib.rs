//! The `#[rpc_service]` attribute. Its documentation stands where users meet it, on the re-export in `rpc-runtime`.
//!
//! Syntax (`syntax`) becomes a checked model (`check` fills `model`), and the model becomes code (`expand`).
//! Faults are gathered on the way (`errors`); with any, `fallback` writes the code instead, so that the trait and
//! everything named after it still exist and rustc has nothing to add.

#![allow(
    clippy::single_match_else,
    reason = "the two cases of a decision stand side by side in a `match`"
)]

mod attributes;
mod check;
mod duration;
mod errors;
mod expand;
mod fallback;
mod model;
mod options;
mod suggest;
mod syntax;
#[cfg(test)]
mod tests;
mod tidy;
mod words;

use proc_macro2::TokenStream;
use quote::quote;

use crate::{errors::Errors, syntax::ServiceTrait};

/// See the documentation of the re-export in `rpc-runtime`.
#[proc_macro_attribute]
pub fn rpc_service(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    rpc_service_tokens(options.into(), &item.into()).into()
}

/// The whole macro, on tokens that exist outside the compiler too.
fn rpc_service_tokens(options: TokenStream, item: &TokenStream) -> TokenStream {
    let errors = Errors::new();
    let Some(written) = ServiceTrait::parse(item, &errors) else {
        let faults = errors.into_compile_errors();
        return quote!(#item #faults);
    };
    let options = options::service::read(options, &errors);
    let service = check::service(&written, &options, &errors);
    match (service, errors.into_result()) {
        (Some(service), Ok(conditional_faults)) => {
            let code = expand::service(&service);
            quote!(#code #conditional_faults)
        }
        (None, Ok(faults)) | (_, Err(faults)) => {
            let code = fallback::service(&written, &options);
            quote!(#code #faults)
        }
    }
}
