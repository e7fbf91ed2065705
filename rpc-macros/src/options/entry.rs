//! One option between two commas, with its value not yet interpreted.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::Ident;

use super::Level;
use crate::{
    errors::{Errors, Fault},
    suggest,
};

/// `key`, or `key = value`.
pub(super) struct Entry {
    pub(super) key: Ident,
    pub(super) value: Option<TokenStream>,
}

/// All well-formed options of the level, each key once. The others are reported.
///
/// The tokens are split at commas first, so that a fault in one option does not hide a fault in the next.
pub(super) fn entries(lists: Vec<TokenStream>, level: Level, errors: &Errors) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for segment in lists.into_iter().flat_map(segments) {
        let Some(entry) = entry(segment, level, errors) else {
            continue;
        };
        match entries.iter().find(|earlier| earlier.key == entry.key) {
            Some(earlier) => errors.push(twice(&entry.key, &earlier.key)),
            None => entries.push(entry),
        }
    }
    entries
}

fn segments(list: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut segments = Vec::new();
    let mut current = Vec::new();
    for token in list {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => {
                segments.push(std::mem::take(&mut current));
            }
            other => current.push(other),
        }
    }
    segments.push(current);
    segments.retain(|segment| !segment.is_empty());
    segments
}

fn entry(segment: Vec<TokenTree>, level: Level, errors: &Errors) -> Option<Entry> {
    let whole: TokenStream = segment.iter().cloned().collect();
    let mut tokens = segment.into_iter();
    let Some(TokenTree::Ident(key)) = tokens.next().map(ungrouped) else {
        errors.push(not_an_option(&whole, level));
        return None;
    };
    let name = hyphenated(&whole).unwrap_or_else(|| key.to_string());
    let Some(example) = level.example(&name) else {
        errors.push(unknown(&key, &name, level));
        return None;
    };
    let value = match tokens.next() {
        None => return Some(Entry { key, value: None }),
        Some(TokenTree::Punct(sign)) if sign.as_char() == '=' => tokens.collect::<TokenStream>(),
        Some(_) => {
            errors.push(malformed(&whole, &key, example));
            return None;
        }
    };
    if value.is_empty() {
        errors.push(malformed(&whole, &key, example));
        return None;
    }
    Some(Entry { key, value: Some(value) })
}

/// `at-most-once`, which Rust splits into several tokens.
fn hyphenated(tokens: &TokenStream) -> Option<String> {
    let mut name = String::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(word) => name.push_str(&word.to_string()),
            TokenTree::Punct(sign) if sign.as_char() == '-' => name.push('-'),
            TokenTree::Punct(sign) if sign.as_char() == '=' => break,
            _ => return None,
        }
    }
    name.contains('-').then_some(name)
}

/// Unwraps the invisible group around a fragment of a `macro_rules!` macro.
fn ungrouped(token: TokenTree) -> TokenTree {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let mut inner = group.stream().into_iter();
            match (inner.next(), inner.next()) {
                (Some(only), None) => ungrouped(only),
                _ => TokenTree::Group(group),
            }
        }
        other => other,
    }
}

fn legal_options(level: Level) -> String {
    let examples: Vec<String> =
        level.options().iter().map(|(_, example)| format!("`{example}`")).collect();
    format!("the options of a {} are {}", level.noun(), examples.join(", "))
}

fn not_an_option(tokens: &TokenStream, level: Level) -> Fault {
    Fault::new(tokens, "this is not an option").note(legal_options(level))
}

fn malformed(tokens: &TokenStream, key: &Ident, example: &str) -> Fault {
    Fault::new(tokens, format!("`{key}` is not written like this"))
        .help(format!("write `{example}`"))
}

fn twice(again: &Ident, earlier: &Ident) -> Fault {
    Fault::new(again, format!("`{again}` is given twice"))
        .help("keep one of the two")
        .also(earlier, format!("`{earlier}` is given here first"))
}

fn unknown(key: &Ident, name: &str, level: Level) -> Fault {
    let other = level.other();
    if let Some(example) = other.example(name) {
        let place = match other {
            Level::Service => "on the trait",
            Level::Method => "on the method",
        };
        return Fault::new(
            key,
            format!("`{name}` is an option of a {}, not of a {}", other.noun(), level.noun()),
        )
        .help(format!("write `#[{}({example})]` {place}", other.attribute()));
    }
    let names: Vec<&str> = level.options().iter().map(|(option, _)| *option).collect();
    let fault = Fault::new(key, format!("`{name}` is not an option")).note(legal_options(level));
    match suggest::nearest(name, &names).and_then(|meant| level.example(meant)) {
        Some(example) => fault.help(format!("did you mean `{example}`?")),
        None => fault,
    }
}

impl Entry {
    /// The tokens to point at when the value is missing or wrong.
    pub(super) fn value_or_key(&self) -> TokenStream {
        self.value.clone().unwrap_or_else(|| self.key.to_token_stream())
    }
}
