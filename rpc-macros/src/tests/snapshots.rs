//! The code that is generated for each kind of method, as snapshots for review.
//!
//! `tests/expand/<kind>.rs` has the trait and `<kind>.expanded.rs` the generated code. After an intended change,
//! `UPDATE_SNAPSHOTS=1 cargo test -p rpc-macros` writes the latter again.

use std::{env, fs, path::Path};

use syn::{Item, Meta};

use crate::rpc_service_tokens;

macro_rules! snapshots {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            check(stringify!($name), stringify!($name) == "schemas");
        }
    )*};
}

snapshots! {
    returns_a_value
    returns_a_result
    oneway
    blocking
    default_body
    conditional_and_deprecated
    every_option
    schemas
    faulty
}

fn check(name: &str, schemas: bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand");
    let input = fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap_or_default();
    let expanded = expand(&input, schemas);
    let path = folder.join(format!("{name}.expanded.rs"));
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        assert!(fs::write(&path, &expanded).is_ok(), "cannot write {}", path.display());
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == expanded, "{} is not what the macro writes:\n{expanded}", path.display());
}

/// The file with its trait expanded, formatted.
fn expand(source: &str, schemas: bool) -> String {
    let Ok(mut file) = syn::parse_file(source) else {
        return "the input does not parse".to_owned();
    };
    let Some(Item::Trait(item)) = file.items.pop() else {
        return "the input is no trait".to_owned();
    };
    let mut item = item;
    let attribute =
        item.attrs.iter().position(|attribute| attribute.path().is_ident("rpc_service"));
    let options = attribute.and_then(|index| match item.attrs.remove(index).meta {
        Meta::List(list) => Some(list.tokens),
        _ => None,
    });
    let tokens = quote::ToTokens::to_token_stream(&item);
    let output = rpc_service_tokens(options.unwrap_or_default(), &tokens, schemas);
    match syn::parse2(output.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(error) => format!("the output does not parse: {error}\n{output}"),
    }
}
