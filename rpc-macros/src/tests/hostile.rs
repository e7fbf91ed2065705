//! No input makes the macro panic, and the output always contains the trait.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use rpc_tests::Random;

use crate::{errors::Errors, rpc_service_tokens, syntax::ServiceTrait};

const ROUNDS: u64 = 4000;

/// Words with a meaning for the macro or for Rust, and meaningless ones.
const WORDS: &[&str] = &[
    "trait",
    "async",
    "fn",
    "self",
    "Self",
    "mut",
    "ref",
    "pub",
    "unsafe",
    "auto",
    "const",
    "type",
    "impl",
    "dyn",
    "where",
    "extern",
    "crate",
    "struct",
    "enum",
    "static",
    "rpc",
    "rpc_service",
    "cfg",
    "cfg_attr",
    "doc",
    "deprecated",
    "allow",
    "name",
    "queue",
    "version",
    "timeout",
    "encoding",
    "oneway",
    "blocking",
    "idempotent",
    "default",
    "at_most_once",
    "String",
    "Result",
    "str",
    "u8",
    "T",
    "x",
    "_",
    "größe",
    "r#type",
    "'a",
    "'static",
];
const LITERALS: &[&str] = &[
    "0",
    "1",
    "2u8",
    "4294967296",
    "\"\"",
    "\"5s\"",
    "\"json\"",
    "b\"x\"",
    "'c'",
    "1.5",
    "r#\"raw\"#",
    "c\"x\"",
];
const SIGNS: &[&str] = &[
    "#", "!", "&", "->", "=", ",", ";", ":", "::", "+", "<", ">", "?", "...", "=>", "@", "$", "|",
];

const TRAITS: &[&str] = &[
    r#"/// Documented.
       #[deprecated] pub trait Store: Send + Sync + 'static {
           /// A method.
           #[rpc(name = "get", timeout = "5s", idempotent)] #[cfg(all())]
           async fn get(&self, key: String, limit: Option<Vec<u8>>) -> Result<u8, String>;
           #[rpc(oneway)] async fn reset(&self);
           #[rpc(blocking, default)] fn slow(&self, n: (u8,)) -> [u8; 4];
           async fn with_body(&self, n: u8) -> u8 { n + 1 }
       }"#,
    "trait Broken<'a, T> where T: Clone { const N: u8; type Item; mac!(); unsafe fn a(); fn b(self, (x, _): &'a str); }",
    "pub struct Structure { field: u8 }",
];
const OPTIONS: &[&str] = &[
    "",
    r#"name = "store", queue = "q", version = 2, timeout = "5s", encoding = "text", crate = ::rpc_runtime"#,
    "nam = 1, oneway, timeout, version = x, name: 5, , =",
];

#[test]
fn random_tokens_never_panic() {
    let mut random = Random::new(1);
    for _ in 0..ROUNDS {
        let options = tokens(&mut random, 3);
        let item = tokens(&mut random, 4);
        check(options, &item);
    }
}

#[test]
fn damaged_traits_never_panic() {
    let mut random = Random::new(2);
    for round in 0..ROUNDS {
        let mut item = parse(random.pick(TRAITS));
        for _ in 0..=(round % 6) {
            item = damaged(item, &mut random);
        }
        let options = damaged(parse(random.pick(OPTIONS)), &mut random);
        check(options, &item);
    }
}

/// Runs the macro. If the input parses as a trait, the output has to contain it.
fn check(options: TokenStream, item: &TokenStream) {
    let errors = Errors::new();
    let written = ServiceTrait::parse(item, &errors);
    drop(errors.into_result());
    let output = rpc_service_tokens(options, item, false);
    match written {
        Some(written) => {
            let name = written.ident.to_string();
            assert!(declares_trait(output, &name), "`{name}` is gone from: {item}");
        }
        None => assert!(output.to_string().starts_with(&item.to_string()), "changed: {item}"),
    }
}

fn declares_trait(tokens: TokenStream, name: &str) -> bool {
    let mut after_trait = false;
    tokens.into_iter().any(|token| {
        let TokenTree::Ident(word) = token else {
            return false;
        };
        std::mem::replace(&mut after_trait, word == "trait") && word == name
    })
}

fn parse(source: &str) -> TokenStream {
    source.parse().unwrap_or_default()
}

fn tokens(random: &mut Random, depth: usize) -> TokenStream {
    (0..random.below(8)).flat_map(|_| token(random, depth)).collect()
}

fn token(random: &mut Random, depth: usize) -> TokenStream {
    match random.below(10) {
        0..4 => parse(random.pick(WORDS)),
        4..6 => parse(random.pick(SIGNS)),
        6 => parse(random.pick(LITERALS)),
        _ if depth == 0 => TokenStream::new(),
        _ => TokenTree::Group(Group::new(delimiter(random), tokens(random, depth - 1))).into(),
    }
}

fn delimiter(random: &mut Random) -> Delimiter {
    *random.pick(&[
        &Delimiter::Parenthesis,
        &Delimiter::Brace,
        &Delimiter::Bracket,
        &Delimiter::None,
    ])
}

/// The same with one random token removed, doubled, replaced or wrapped.
fn damaged(tokens: TokenStream, random: &mut Random) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    if trees.is_empty() {
        return self::tokens(random, 2);
    }
    let at = random.below(trees.len());
    if let TokenTree::Group(group) = &trees[at]
        && random.below(4) > 0
    {
        trees[at] =
            TokenTree::Group(Group::new(group.delimiter(), damaged(group.stream(), random)));
        return trees.into_iter().collect();
    }
    let replacement: TokenStream = match random.below(4) {
        0 => TokenStream::new(),
        1 => [trees[at].clone(), trees[at].clone()].into_iter().collect(),
        2 => token(random, 2),
        _ => TokenTree::Group(Group::new(delimiter(random), trees[at].clone().into())).into(),
    };
    let after = trees.split_off(at + 1);
    trees.truncate(at);
    trees.into_iter().chain(replacement).chain(after).collect()
}
