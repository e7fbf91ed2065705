//! What a large service costs to expand.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use proc_macro2::TokenStream;

use crate::rpc_service_tokens;

const METHODS: usize = 50;

/// Formatted lines for each method. More means that work has moved from the runtime's generic functions, which are
/// compiled once, into every method of every user.
const LINES_PER_METHOD: usize = 75;

/// Far more than it takes without optimisation on a busy machine, and far less than anything quadratic would take.
const LONGEST: Duration = Duration::from_secs(2);

#[test]
fn fifty_methods_expand_fast_and_thin() {
    let (options, item) = (TokenStream::new(), service(METHODS));
    let start = Instant::now();
    let output = rpc_service_tokens(options, &item);
    let took = start.elapsed();
    let formatted =
        syn::parse2(output).map(|file| prettyplease::unparse(&file)).unwrap_or_default();
    let lines = formatted.lines().count();
    println!("{METHODS} methods: {lines} lines, {took:?}");
    assert!((METHODS..METHODS * LINES_PER_METHOD).contains(&lines), "{lines} lines");
    assert!(took < LONGEST, "{took:?}");
}

fn service(methods: usize) -> TokenStream {
    let mut source = String::from("/// Large.\npub trait Large {");
    for index in 0..methods {
        let written = writeln!(
            source,
            "/// Number {index}.\nasync fn method_{index}(&self, first: u32, second: Vec<String>) -> Result<u64, String>;"
        );
        assert!(written.is_ok());
    }
    source.push('}');
    source.parse().unwrap_or_default()
}
