//! Editor support: generated names have the author's spans, and generated items the author's documentation.

use proc_macro2::{LineColumn, TokenStream, TokenTree};
use syn::{File, ImplItem, Item};

use crate::rpc_service_tokens;

const SOURCE: &str = r"
/// Numbers.
pub trait Fibonacci {
    /// The `n`-th number.
    async fn fib(&self, number: u32) -> Result<Large, Failure>;

    #[rpc(blocking)]
    fn slow(&self) -> Large;
}
";

#[test]
fn generated_names_have_the_authors_spans() {
    let (written, generated) = (parse(SOURCE), expanded());
    for name in ["Fibonacci", "fib", "number", "Large", "Failure", "slow"] {
        let original = places(written.clone(), name);
        let copies = places(generated.clone(), name);
        assert!(copies.len() > original.len(), "`{name}` is generated nowhere");
        assert!(
            copies.iter().all(|copy| original.contains(copy)),
            "`{name}` is at {copies:?}, not {original:?}"
        );
    }
}

#[test]
fn generated_types_have_the_traits_span() {
    let name = places(parse(SOURCE), "Fibonacci");
    for generated in ["FibonacciClient", "FibonacciServer"] {
        let all = places(expanded(), generated);
        assert!(
            !all.is_empty() && all.iter().all(|place| name.contains(place)),
            "{generated}: {all:?}"
        );
    }
}

#[test]
fn client_methods_have_the_traits_documentation() {
    let file: Option<File> = syn::parse2(expanded()).ok();
    let items = file.into_iter().flat_map(|file| file.items);
    let block = items.filter_map(|item| match item {
        Item::Const(item) => Some(quote::ToTokens::to_token_stream(&item.expr)),
        _ => None,
    });
    let blocks: Vec<syn::Block> = block.filter_map(|tokens| syn::parse2(tokens).ok()).collect();
    let documented = blocks.iter().flat_map(|block| &block.stmts).any(|statement| {
        let syn::Stmt::Item(Item::Impl(item)) = statement else {
            return false;
        };
        item.trait_.is_none()
            && item.items.iter().any(|item| {
                matches!(item, ImplItem::Fn(method) if method.sig.ident == "fib"
                    && crate::attributes::documentation(&method.attrs) == "The `n`-th number.")
            })
    });
    assert!(documented);
}

fn parse(source: &str) -> TokenStream {
    source.parse().unwrap_or_default()
}

fn expanded() -> TokenStream {
    rpc_service_tokens(TokenStream::new(), &parse(SOURCE), false)
}

/// Where the identifier occurs, as positions in `SOURCE`.
fn places(tokens: TokenStream, name: &str) -> Vec<LineColumn> {
    let mut places = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => places.extend(self::places(group.stream(), name)),
            TokenTree::Ident(word) if word == name => places.push(word.span().start()),
            _ => {}
        }
    }
    places
}
