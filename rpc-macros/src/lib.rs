//! The `#[rpc_service]` attribute. Its documentation is on the re-export in `rpc-runtime`.
//!
//! Syntax (`syntax`) becomes a checked model (`check` fills `model`), and the model becomes code (`expand`).
//! Faults are collected (`errors`). If there are any, `fallback` generates the code instead, so that the trait and its
//! client and server still exist and rustc adds no errors. `pipeline` connects these steps.

#![allow(
    clippy::single_match_else,
    reason = "a `match` shows the two cases of a decision side by side"
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
