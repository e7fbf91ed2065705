//! The `#[rpc_service]` attribute. Its documentation stands where users meet it, on the re-export in `rpc-runtime`.

use proc_macro::TokenStream;

/// See the documentation of the re-export in `rpc-runtime`.
#[proc_macro_attribute]
pub fn rpc_service(_options: TokenStream, item: TokenStream) -> TokenStream {
    item
}
