//! The `#[rpc_service]` attribute. Its documentation stands where users meet it, on the re-export in `rpc-runtime`.
//!
//! Syntax (`syntax`) becomes a checked model (`check` fills `model`), and the model becomes code (`expand`).
//! Faults are gathered on the way (`errors`); with any, `fallback` writes the code instead, so that the trait and
//! everything named after it still exist and rustc has nothing to add. `pipeline` is the way from end to end.

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
mod pipeline;
mod suggest;
mod syntax;
#[cfg(test)]
mod tests;
mod tidy;
mod words;

use crate::pipeline::rpc_service_tokens;

/// See the documentation of the re-export in `rpc-runtime`.
#[proc_macro_attribute]
pub fn rpc_service(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    rpc_service_tokens(options.into(), &item.into(), cfg!(feature = "schemars")).into()
}
