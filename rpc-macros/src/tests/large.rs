//! A service with many methods, all of one shape.

use std::fmt::Write as _;

use proc_macro2::TokenStream;

pub(crate) fn service(methods: u32) -> TokenStream {
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
