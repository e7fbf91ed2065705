//! Types as text, spaced the way rustfmt would space them.
//!
//! The printed form of a token stream differs between compilers. This form is stable, for descriptors and messages.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// A type on one line.
pub(crate) fn text(syntax: &impl ToTokens) -> String {
    let mut pieces = Vec::new();
    take_apart(syntax.to_token_stream(), &mut pieces);
    drop_last_commas(&mut pieces);
    let mut text = String::new();
    let mut last: Option<&str> = None;
    for piece in &pieces {
        if last.is_some_and(|last| is_apart(last, piece)) {
            text.push(' ');
        }
        text.push_str(piece);
        last = Some(piece);
    }
    text
}

/// Splits tokens into words, lifetimes, brackets and signs. Adjacent signs stay together.
fn take_apart(tokens: TokenStream, pieces: &mut Vec<String>) {
    let mut joint = false;
    for token in tokens {
        let goes_on = std::mem::take(&mut joint);
        match token {
            TokenTree::Group(group) => take_group_apart(&group, pieces),
            TokenTree::Punct(sign) => {
                joint = sign.spacing() == Spacing::Joint
                    && matches!(sign.as_char(), ':' | '-' | '\'' | '.');
                match pieces.last_mut() {
                    Some(last) if goes_on => last.push(sign.as_char()),
                    _ => pieces.push(sign.as_char().to_string()),
                }
            }
            word => match pieces.last_mut() {
                Some(last) if goes_on && last == "'" => last.push_str(&word.to_string()),
                _ => pieces.push(word.to_string()),
            },
        }
    }
}

fn take_group_apart(group: &Group, pieces: &mut Vec<String>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Brace => ("{", "}"),
        // A fragment of a `macro_rules!` macro, without visible delimiters.
        Delimiter::None => return take_apart(group.stream(), pieces),
    };
    pieces.push(open.to_owned());
    take_apart(group.stream(), pieces);
    pieces.push(close.to_owned());
}

/// Removes trailing commas, except in `(T,)`, where the comma makes it a tuple.
fn drop_last_commas(pieces: &mut Vec<String>) {
    let mut lists: Vec<usize> = Vec::new();
    let mut kept: Vec<String> = Vec::new();
    for piece in pieces.drain(..) {
        match piece.as_str() {
            "(" | "[" | "{" | "<" => lists.push(0),
            "," => {
                if let Some(commas) = lists.last_mut() {
                    *commas += 1;
                }
            }
            ")" | "]" | "}" | ">" => {
                let one_tuple = lists.pop() == Some(1) && piece == ")";
                if !one_tuple {
                    kept.pop_if(|last| last == ",");
                }
            }
            _ => {}
        }
        kept.push(piece);
    }
    *pieces = kept;
}

fn is_apart(last: &str, next: &str) -> bool {
    let is_word =
        |piece: &str| piece.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"');
    let is_lifetime = |piece: &str| piece.len() > 1 && piece.starts_with('\'');
    let closes = matches!(next, "," | ";" | ":" | "::" | ">" | ")" | "]" | "}");
    match (last, next) {
        (",", ")") => false,
        (_, "=" | "+" | "->" | "as") | ("," | ";" | ":" | "=" | "+" | "->", _) => true,
        ("dyn" | "impl" | "mut" | "const" | "as", _) => !closes,
        (">" | ")" | "]" | "}", _) => is_word(next),
        _ if is_lifetime(last) => !closes,
        _ => is_word(last) && (is_word(next) || is_lifetime(next)),
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;

    use super::text;

    #[test]
    fn types_read_as_they_are_written() {
        for written in [
            "u32",
            "()",
            "(u8,)",
            "(u8, String)",
            "Result<u64, FibError>",
            "HashMap<String, Vec<u8>>",
            "::std::collections::BTreeMap<u8, [u8; 4]>",
            "<Vec<u8> as IntoIterator>::Item",
            "Box<dyn Error + Send>",
            "Cow<'static, str>",
            "&'a mut str",
            "&mut [u8]",
            "Vec<(u8, Option<r#type>)>",
            "Matrix<3, { N }>",
            "fn(u8) -> u8",
            "impl Iterator<Item = u8>",
        ] {
            let expected = written.replace("{ N }", "{N}");
            let tokens: TokenStream = written.parse().unwrap_or_default();
            assert_eq!(text(&tokens), expected);
        }
    }

    #[test]
    fn spacing_is_normalized() {
        for (written, expected) in [
            ("Result < u64 , FibError >", "Result<u64, FibError>"),
            ("Vec<\n    u8,\n>", "Vec<u8>"),
            ("( u8 , u8 , )", "(u8, u8)"),
        ] {
            let tokens: TokenStream = written.parse().unwrap_or_default();
            assert_eq!(text(&tokens), expected);
        }
    }
}
