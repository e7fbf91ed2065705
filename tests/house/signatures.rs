//! The parts of a source that are signatures which users see: heads of types, public fields, functions, implementations.

use std::collections::BTreeSet;

use crate::{
    names::{File, all_uses, end_of_item, is, word},
    reader::{Kind, Token},
};

/// The modules that users reach, beside the root.
const PUBLIC_MODULES: &[&str] = &["discovery", "middleware", "testing"];

/// Whether users can name what a module exports.
pub(crate) fn is_public(module: &[String]) -> bool {
    match module {
        [] => true,
        [module] => PUBLIC_MODULES.contains(&module.as_str()),
        _ => false,
    }
}

/// The types, traits and functions that users can name.
pub(crate) fn exported(files: &[File]) -> BTreeSet<String> {
    let mut exported = BTreeSet::new();
    for file in files {
        if !is_public(&file.module) {
            continue;
        }
        let all = all_uses(&file.tokens);
        exported.extend(all.into_iter().filter(|(public, _)| *public).map(|(_, one)| one.name));
        for at in 0..file.tokens.len() {
            let kinds = ["struct", "enum", "trait", "type", "fn", "const"];
            if word(&file.tokens, at) == Some("pub")
                && word(&file.tokens, at + 1).is_some_and(|kind| kinds.contains(&kind))
                && let Some(name) = word(&file.tokens, at + 2)
            {
                exported.insert(name.to_owned());
            }
        }
    }
    exported
}

/// Where a signature that begins at a place ends: at its body, or at its `;`.
fn end_of_signature(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Sign('(' | '[') => depth += 1,
            Kind::Sign(')' | ']') => depth = depth.saturating_sub(1),
            Kind::Sign('=') if binds_a_type(tokens, at) => {}
            Kind::Sign('{' | ';' | '=') if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Whether an `=` gives an associated type, as in `Future<Output = u8>`, or a default of a parameter.
fn binds_a_type(tokens: &[Token], at: usize) -> bool {
    at >= 2 && (is(tokens, at - 2, '<') || is(tokens, at - 2, ','))
}

/// The type that an `impl` is for, and whether it is one of a trait.
fn implemented(header: &[Token]) -> (Option<String>, bool) {
    let mut depth = 0i32;
    let mut of_trait = false;
    let mut name = None;
    for (at, token) in header.iter().enumerate() {
        match &token.kind {
            Kind::Sign('<') => depth += 1,
            // Not that of an arrow.
            Kind::Sign('>') if at == 0 || header[at - 1].kind != Kind::Sign('-') => depth -= 1,
            Kind::Word(word) if depth == 0 && word == "where" => break,
            Kind::Word(word) if depth == 0 && word == "for" => {
                (of_trait, name) = (true, None);
            }
            Kind::Word(word) if depth == 0 && !["dyn", "impl"].contains(&word.as_str()) => {
                name = Some(word.clone());
            }
            _ => {}
        }
    }
    (name, of_trait)
}

/// The parts of a file's tokens that are public signatures.
pub(crate) fn signatures<'a>(tokens: &'a [Token], exported: &BTreeSet<String>) -> Vec<&'a [Token]> {
    let mut found = Vec::new();
    let mut attributes = 0..0;
    let mut at = 0;
    while at < tokens.len() {
        if is(tokens, at, '#') && is(tokens, at + 1, '[') {
            let begin = if attributes.end == at { attributes.start } else { at };
            at = end_of_brackets(tokens, at + 1);
            attributes = begin..at;
            continue;
        }
        let public = word(tokens, at) == Some("pub") && !is(tokens, at + 1, '(');
        let named = |place: usize| word(tokens, place).is_some_and(|name| exported.contains(name));
        let item = at + usize::from(public);
        match word(tokens, item) {
            Some("struct") if public && named(item + 1) => {
                found.push(&tokens[attributes.clone()]);
                let end = end_of_item(tokens, at);
                found.extend(fields(&tokens[item..end]));
                at = end;
            }
            Some("enum" | "type") if public && named(item + 1) => {
                found.push(&tokens[attributes.clone()]);
                let end = end_of_item(tokens, at);
                found.push(&tokens[item..end]);
                at = end;
            }
            Some("trait") if public && named(item + 1) => {
                let end = end_of_item(tokens, at);
                let body = end_of_signature(tokens, item);
                found.push(&tokens[item..body]);
                found.extend(functions(&tokens[body..end], false));
                at = end;
            }
            Some("fn" | "const" | "async") if public && (named(item + 1) || named(item + 2)) => {
                found.push(&tokens[item..end_of_signature(tokens, item)]);
                at = end_of_item(tokens, at);
            }
            Some("impl") if !public => {
                let body = end_of_signature(tokens, item);
                let end = end_of_item(tokens, at);
                let header = &tokens[item + 1..body.min(end)];
                let (name, of_trait) = implemented(header);
                if name.is_some_and(|name| exported.contains(&name)) {
                    found.push(header);
                    if of_trait {
                        found.extend(types(&tokens[body..end]));
                    } else {
                        found.extend(functions(&tokens[body..end], true));
                    }
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

fn end_of_brackets(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.kind {
            Kind::Sign('[') => depth += 1,
            Kind::Sign(']') => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    at
}

/// The head of a struct, and its public fields.
fn fields(item: &[Token]) -> Vec<&[Token]> {
    let open = (0..item.len()).find(|at| is(item, *at, '{') || is(item, *at, '('));
    let open = open.unwrap_or(item.len());
    let mut found = vec![&item[..open]];
    for at in open..item.len() {
        if word(item, at) == Some("pub") && !is(item, at + 1, '(') {
            let (mut end, mut depth) = (at, 0i32);
            while let Some(token) = item.get(end) {
                match token.kind {
                    Kind::Sign('<' | '(' | '[') => depth += 1,
                    Kind::Sign('>' | ')' | ']') => depth -= 1,
                    Kind::Sign(',' | '}') if depth == 0 => break,
                    _ => {}
                }
                end += 1;
            }
            found.push(&item[at..end]);
        }
    }
    found
}

/// The signatures of the functions in the body of a trait or of an `impl`.
fn functions(body: &[Token], public_alone: bool) -> Vec<&[Token]> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut public = false;
    while at < body.len() {
        match word(body, at) {
            Some("pub") => public = !is(body, at + 1, '('),
            Some("fn" | "type") => {
                let end = end_of_signature(body, at);
                if public || !public_alone {
                    found.push(&body[at..end]);
                }
                public = false;
                at = end_of_item(body, at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The associated types in the body of an `impl`.
fn types(body: &[Token]) -> Vec<&[Token]> {
    let mut found = Vec::new();
    let mut at = 1;
    while at < body.len() {
        if matches!(word(body, at), Some("fn" | "type" | "const")) {
            let end = end_of_item(body, at);
            if word(body, at) == Some("type") {
                found.push(&body[at..end]);
            }
            at = end;
        } else {
            at += 1;
        }
    }
    found
}
