//! What the names in a source stand for, as far as they lead to another crate: through `use`, also of what another module
//! took, and through other names of types.

use std::collections::{BTreeMap, BTreeSet};

use crate::reader::{Kind, Token};

/// A file, with its place in the crate.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) module: Vec<String>,
    pub(crate) tokens: Vec<Token>,
}

/// Which other crates a name leads to, by the module that it stands in and the name itself.
pub(crate) type Names = BTreeMap<(Vec<String>, String), BTreeSet<String>>;

/// What a `use` takes: the name in the file, and the path that it stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) name: String,
    pub(crate) path: Vec<String>,
}

pub(crate) fn word(tokens: &[Token], at: usize) -> Option<&str> {
    match &tokens.get(at)?.kind {
        Kind::Word(word) => Some(word),
        _ => None,
    }
}

pub(crate) fn is(tokens: &[Token], at: usize, sign: char) -> bool {
    tokens.get(at).is_some_and(|token| token.kind == Kind::Sign(sign))
}

/// Where the item that begins at a place ends: behind its `;` or its braces.
pub(crate) fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(sign @ (')' | ']' | '}')) => {
                depth = depth.saturating_sub(1);
                if depth == 0 && sign == '}' {
                    return at;
                }
            }
            Kind::Sign(';') if depth == 0 => return at,
            _ => {}
        }
    }
    at
}

/// Reads the tree of a `use` from behind that word on, up to its `;`.
fn uses(tokens: &[Token], at: &mut usize, base: &[String], found: &mut Vec<Use>) {
    let mut path = base.to_vec();
    loop {
        match tokens.get(*at).map(|token| &token.kind) {
            Some(Kind::Word(name)) if name == "as" => {
                let name = word(tokens, *at + 1).unwrap_or_default().to_owned();
                *at += 2;
                return found.push(Use { name, path });
            }
            Some(Kind::Word(name)) => {
                if name != "self" || path.is_empty() {
                    path.push(name.clone());
                }
                *at += 1;
            }
            Some(Kind::Path) => *at += 1,
            Some(Kind::Sign('{')) => {
                *at += 1;
                while *at < tokens.len() && !is(tokens, *at, '}') {
                    if is(tokens, *at, ',') {
                        *at += 1;
                    } else {
                        uses(tokens, at, &path, found);
                    }
                }
                *at += 1;
                return;
            }
            Some(Kind::Sign('*')) => {
                *at += 1;
                return;
            }
            _ => {
                let name = path.last().cloned().unwrap_or_default();
                return found.push(Use { name, path });
            }
        }
    }
}

/// All uses of a file, and whether each is for everybody.
pub(crate) fn all_uses(tokens: &[Token]) -> Vec<(bool, Use)> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if word(tokens, at) == Some("use") {
            let public = at > 0 && word(tokens, at - 1) == Some("pub");
            let mut found = Vec::new();
            at += 1;
            uses(tokens, &mut at, &[], &mut found);
            all.extend(found.into_iter().map(|one| (public, one)));
        } else {
            at += 1;
        }
    }
    all
}

/// The module and the name that a path within the crate leads to.
fn within(path: &[String], module: &[String], own: &str) -> Option<(Vec<String>, String)> {
    let (name, parents) = path.split_last()?;
    let mut place = match parents.first()?.as_str() {
        "crate" => Vec::new(),
        first if first == own => Vec::new(),
        "self" => module.to_vec(),
        "super" => module.split_last()?.1.to_vec(),
        child => [module, &[child.to_owned()]].concat(),
    };
    for step in &parents[1..] {
        if step == "super" {
            place.pop();
        } else {
            place.push(step.clone());
        }
    }
    Some((place, name.clone()))
}

/// The names that a file gives to types, outside of traits and implementations.
fn aliases(tokens: &[Token]) -> Vec<(String, &[Token])> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    for at in 0..tokens.len() {
        match &tokens[at].kind {
            Kind::Sign('{') => depth += 1,
            Kind::Sign('}') => depth = depth.saturating_sub(1),
            Kind::Word(kind) if kind == "type" && depth == 0 => {
                let name = word(tokens, at + 1).unwrap_or_default().to_owned();
                found.push((name, &tokens[at + 2..end_of_item(tokens, at)]));
            }
            _ => {}
        }
    }
    found
}

/// Follows what the files of a crate take from others, also through each other.
pub(crate) fn names(files: &[File], own: &str, others: &BTreeSet<String>) -> Names {
    let mut names = Names::new();
    let mut before = usize::MAX;
    while before != names.len() {
        before = names.len();
        for file in files {
            let mut known = Vec::new();
            for (_, Use { name, path }) in all_uses(&file.tokens) {
                let first = path.first().cloned().unwrap_or_default();
                if others.contains(&first) {
                    known.push((name, BTreeSet::from([first])));
                } else if let Some(there) =
                    within(&path, &file.module, own).and_then(|key| names.get(&key))
                {
                    known.push((name, there.clone()));
                }
            }
            for (name, aliased) in aliases(&file.tokens) {
                let met = met_in(aliased, &file.module, &names, others);
                known.push((name, met.into_iter().map(|(package, ..)| package).collect()));
            }
            for (name, packages) in known.into_iter().filter(|(_, packages)| !packages.is_empty()) {
                names.entry((file.module.clone(), name)).or_default().extend(packages);
            }
        }
    }
    names
}

/// The names of other crates in a run of tokens, each with its line and its word.
pub(crate) fn met_in(
    tokens: &[Token],
    module: &[String],
    names: &Names,
    others: &BTreeSet<String>,
) -> Vec<(String, usize, String)> {
    let mut met = Vec::new();
    for at in 0..tokens.len() {
        let Some(name) = word(tokens, at) else { continue };
        // What follows a `::` is found by what stands before it.
        if at > 0 && tokens[at - 1].kind == Kind::Path {
            continue;
        }
        let line = tokens[at].line;
        if others.contains(name) && tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Path) {
            met.push((name.to_owned(), line, name.to_owned()));
        } else if let Some(packages) = names.get(&(module.to_vec(), name.to_owned())) {
            met.extend(packages.iter().map(|package| (package.clone(), line, name.to_owned())));
        }
    }
    met
}
