//! How much code a large service expands to. `benches/expansion.rs` measures the time.

use proc_macro2::TokenStream;

use super::large;
use crate::rpc_service_tokens;

const METHODS: u32 = 50;

/// Most formatted lines for each method. More would mean that work has moved from the runtime's generic functions, which
/// are compiled once, into the code generated for every method.
const LINES_PER_METHOD: u32 = 85;

#[test]
fn fifty_methods_expand_to_little_code() {
    let output = rpc_service_tokens(TokenStream::new(), &large::service(METHODS), false);
    let formatted =
        syn::parse2(output).map(|file| prettyplease::unparse(&file)).unwrap_or_default();
    let lines = u32::try_from(formatted.lines().count()).unwrap_or(u32::MAX);
    println!("{METHODS} methods: {lines} lines");
    assert!((METHODS..METHODS * LINES_PER_METHOD).contains(&lines), "{lines} lines");
}
