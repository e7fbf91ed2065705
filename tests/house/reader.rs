//! Reads the paths that Rust source names, and the modules that it declares, for the order of modules.
//!
//! It is a scanner, not a parser. Comments, literals and items under `#[cfg(test)]` are left out.

use std::iter::Peekable;

/// The paths and modules of a file, without its tests.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Paths from the root of the crate, without the word `crate`.
    pub(crate) paths: Vec<Named>,
    /// Modules in their own files that are compiled only for tests, by their paths from the root.
    pub(crate) tests: Vec<Vec<String>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
}

/// The words and signs of a source, without those that are compiled for tests alone.
pub(crate) fn without_tests(source: &str) -> Vec<Token> {
    let tokens = tokens(source);
    let mut reader =
        Reader { tokens: &tokens, at: 0, module: Vec::new(), found: Source::default() };
    let mut kept = Vec::new();
    while let Some(token) = tokens.get(reader.at) {
        let before = reader.at;
        if reader.is(0, '#') && reader.is(1, '[') && reader.attribute() {
            reader.skip_test();
        } else {
            reader.at = before + 1;
            kept.push(token.clone());
        }
    }
    kept
}

/// Reads the file of this module.
pub(crate) fn read(source: &str, module: &[String]) -> Source {
    let tokens = tokens(source);
    let mut reader =
        Reader { tokens: &tokens, at: 0, module: module.to_vec(), found: Source::default() };
    reader.items(0);
    reader.found
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Word(String),
    /// `::`
    Path,
    Sign(char),
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

/// Splits a source into words and signs, without comments, lifetimes and literals.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut characters = source.chars().peekable();
    let mut line = 1;
    while let Some(character) = characters.next() {
        let kind = match character {
            '\n' => {
                line += 1;
                continue;
            }
            '/' if characters.peek() == Some(&'/') => {
                while characters.next_if(|next| *next != '\n').is_some() {}
                continue;
            }
            '/' if characters.peek() == Some(&'*') => {
                line += skip_comment(&mut characters);
                continue;
            }
            '"' => {
                line += skip_text(&mut characters);
                continue;
            }
            '\'' => {
                line += skip_quote(&mut characters);
                continue;
            }
            ':' if characters.next_if_eq(&':').is_some() => Kind::Path,
            _ if character.is_alphabetic() || character == '_' => {
                let mut word = String::from(character);
                while let Some(next) =
                    characters.next_if(|next| next.is_alphanumeric() || *next == '_')
                {
                    word.push(next);
                }
                let raw = ["r", "br", "cr"].contains(&word.as_str());
                match characters.peek() {
                    Some('"' | '#') if raw => {
                        match skip_raw(&mut characters) {
                            Some(lines) => line += lines,
                            // `r#word`
                            None => continue,
                        }
                        continue;
                    }
                    Some('"') if ["b", "c"].contains(&word.as_str()) => continue,
                    Some('\'') if word == "b" => continue,
                    _ => Kind::Word(word),
                }
            }
            _ if character.is_ascii_digit() => {
                while characters.next_if(|next| next.is_alphanumeric() || *next == '_').is_some() {}
                continue;
            }
            _ if character.is_whitespace() => continue,
            _ => Kind::Sign(character),
        };
        tokens.push(Token { line, kind });
    }
    tokens
}

/// Skips to the end of a block comment; returns the number of line ends in it.
fn skip_comment(characters: &mut Peekable<impl Iterator<Item = char>>) -> usize {
    let (mut lines, mut depth, mut before) = (0, 1, ' ');
    characters.next();
    for character in characters.by_ref() {
        lines += usize::from(character == '\n');
        match (before, character) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                before = character;
                continue;
            }
        }
        before = ' ';
        if depth == 0 {
            break;
        }
    }
    lines
}

/// Skips to the end of a string; returns the number of line ends in it.
fn skip_text(characters: &mut Peekable<impl Iterator<Item = char>>) -> usize {
    let mut lines = 0;
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => lines += usize::from(characters.next() == Some('\n')),
            _ => lines += usize::from(character == '\n'),
        }
    }
    lines
}

/// Skips a raw string after its `r`; `None` if it is a raw identifier.
fn skip_raw(characters: &mut Peekable<impl Iterator<Item = char>>) -> Option<usize> {
    let mut hashes = 0;
    while characters.next_if_eq(&'#').is_some() {
        hashes += 1;
    }
    characters.next_if_eq(&'"')?;
    let mut lines = 0;
    while let Some(character) = characters.next() {
        lines += usize::from(character == '\n');
        if character == '"' {
            let mut closed = 0;
            while closed < hashes && characters.next_if_eq(&'#').is_some() {
                closed += 1;
            }
            if closed == hashes {
                break;
            }
        }
    }
    Some(lines)
}

/// Skips a character literal or a lifetime after its quote.
fn skip_quote(characters: &mut Peekable<impl Iterator<Item = char>>) -> usize {
    let Some(first) = characters.next() else { return 0 };
    if first == '\\' {
        characters.next();
        // An escape such as `\u{…}` or `\x..`.
        while characters.next().is_some_and(|next| next != '\'') {}
    } else if characters.next_if_eq(&'\'').is_none() {
        // A lifetime, whose first letter is already read.
        while characters.next_if(|next| next.is_alphanumeric() || *next == '_').is_some() {}
    }
    usize::from(first == '\n')
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The module of the tokens.
    module: Vec<String>,
    found: Source,
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<&'a Kind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    fn word(&self, ahead: usize) -> Option<&'a str> {
        match self.peek(ahead) {
            Some(Kind::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn is(&self, ahead: usize, sign: char) -> bool {
        self.peek(ahead) == Some(&Kind::Sign(sign))
    }

    /// Reads to the end of the source, or of the module that was opened at this depth.
    fn items(&mut self, opened_at: usize) {
        let mut depth = opened_at;
        while self.at < self.tokens.len() {
            if self.is(0, '#') && self.is(1, '[') {
                if self.attribute() {
                    self.skip_test();
                }
            } else if self.word(0) == Some("mod")
                && self.is(2, '{')
                && let Some(name) = self.word(1).map(str::to_owned)
            {
                self.at += 3;
                self.module.push(name);
                self.items(depth + 1);
                self.module.pop();
            } else if self.is(0, '{') {
                depth += 1;
                self.at += 1;
            } else if self.is(0, '}') {
                self.at += 1;
                depth = depth.saturating_sub(1);
                if depth + 1 == opened_at {
                    return;
                }
            } else if !self.path() {
                self.at += 1;
            }
        }
    }

    /// Skips an attribute; returns whether it limits the next item to tests.
    fn attribute(&mut self) -> bool {
        let test = self.word(2) == Some("cfg")
            && match self.word(4) {
                Some("test") => true,
                // `any` does not limit to tests.
                Some("all") => self.word(6) == Some("test"),
                _ => false,
            };
        self.at += 1;
        self.skip_group();
        test
    }

    /// Skips from an opening bracket to after its closing bracket.
    fn skip_group(&mut self) {
        let mut depth = 0usize;
        while let Some(kind) = self.peek(0) {
            match kind {
                Kind::Sign('(' | '[' | '{') => depth += 1,
                Kind::Sign(')' | ']' | '}') => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Skips an item, a field or a statement for tests, with its other attributes.
    fn skip_test(&mut self) {
        while self.is(0, '#') && self.is(1, '[') {
            self.attribute();
        }
        let mut item = false;
        loop {
            match self.peek(0) {
                // The end of the enclosing block: it was the last member.
                None | Some(Kind::Sign('}' | ')')) => return,
                // A comma ends a field or a variant; inside an item it does not.
                Some(Kind::Sign(end)) if *end == ';' || (*end == ',' && !item) => {
                    self.at += 1;
                    return;
                }
                Some(Kind::Sign('{')) => {
                    self.skip_group();
                    // A semicolon after braces, as in `use`.
                    if !self.is(0, ';') {
                        return;
                    }
                }
                Some(Kind::Sign('(' | '[')) => self.skip_group(),
                Some(Kind::Word(word)) => {
                    if word == "mod"
                        && self.is(2, ';')
                        && let Some(name) = self.word(1)
                    {
                        let mut module = self.module.clone();
                        module.push(name.to_owned());
                        self.found.tests.push(module);
                    }
                    let begins = ["fn", "impl", "mod", "struct", "enum", "trait", "type", "use"];
                    item |= begins.contains(&word.as_str());
                    self.at += 1;
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// Reads a path that begins with `crate`, `self` or `super`; `false` if there is none.
    fn path(&mut self) -> bool {
        if self.peek(1) != Some(&Kind::Path) {
            return false;
        }
        let base = match self.word(0) {
            // The crate may also use its own name.
            Some("crate" | "rpc_runtime") => Vec::new(),
            Some("self") => self.module.clone(),
            Some("super") => self.module.split_last().map_or(&[][..], |(_, above)| above).to_vec(),
            _ => return false,
        };
        self.at += 2;
        self.rest(base);
        true
    }

    /// Reads the path after a `::`.
    fn rest(&mut self, mut base: Vec<String>) {
        loop {
            let line = self.tokens.get(self.at).map_or(0, |token| token.line);
            match self.peek(0) {
                Some(Kind::Word(word)) if word == "super" => {
                    base.pop();
                }
                Some(Kind::Word(word)) if word == "self" => {}
                Some(Kind::Word(word)) => base.push(word.clone()),
                Some(Kind::Sign('{')) => return self.group(&base),
                // A glob, or type parameters.
                _ => return self.found.paths.push(Named { line, path: base }),
            }
            self.at += 1;
            if self.peek(0) == Some(&Kind::Path) {
                self.at += 1;
            } else {
                return self.found.paths.push(Named { line, path: base });
            }
        }
    }

    /// Reads the braces of a `use`.
    fn group(&mut self, base: &[String]) {
        self.at += 1;
        loop {
            match self.peek(0) {
                None => return,
                Some(Kind::Sign('}')) => {
                    self.at += 1;
                    return;
                }
                Some(Kind::Sign('#')) if self.is(1, '[') => {
                    if self.attribute() {
                        self.skip_test();
                    }
                }
                Some(Kind::Word(word)) if word == "as" => self.at += 2,
                Some(Kind::Word(_) | Kind::Sign('{')) => self.rest(base.to_vec()),
                Some(_) => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &str) -> Vec<String> {
        path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// The paths that a file of the module `a::b` names.
    fn paths(source: &str) -> Vec<String> {
        let found = read(source, &module("a::b"));
        found.paths.iter().map(|named| named.path.join("::")).collect()
    }

    #[test]
    fn paths_of_uses_are_read() {
        assert_eq!(paths("use crate::c::D;"), ["c::D"]);
        assert_eq!(
            paths("pub(crate) use crate::c::{D, e::{self, F as G}, h::*};"),
            ["c::D", "c::e", "c::e::F", "c::h"]
        );
        assert_eq!(paths("use super::{c, super::d::E};"), ["a::c", "d::E"]);
        assert_eq!(paths("use self::{c::D};"), ["a::b::c::D"]);
        assert_eq!(paths("use crate::{c, d};"), ["c", "d"]);
        assert_eq!(paths("use std::fmt; use tokio::{sync::watch, time};"), Vec::<String>::new());
    }

    #[test]
    fn paths_in_code_are_read() {
        assert_eq!(
            paths("fn f() -> crate::c::D<super::E> { crate::g::<u8>(); }"),
            ["c::D", "a::E", "g"]
        );
        assert_eq!(paths("macro_rules! m { () => { $crate::c::d() } }"), ["c::d"]);
        assert_eq!(paths("impl C { fn f(&self) { self.g(); Self::H } }"), Vec::<String>::new());
        assert_eq!(paths("pub(in crate::c) fn f(d: rpc_runtime::D) {}"), ["c", "D"]);
    }

    #[test]
    fn modules_within_a_file_count() {
        assert_eq!(
            paths(
                "mod c { use super::D; mod e { use super::super::F; } use super::G; } use super::H;"
            ),
            ["a::b::D", "a::b::F", "a::b::G", "a::H"]
        );
        assert_eq!(
            paths("fn f() { {} } mod c { fn f() { if x { y {} } } use super::D; } use super::E;"),
            ["a::b::D", "a::E"]
        );
    }

    #[test]
    fn comments_and_literals_are_left_out() {
        let source = r##"
            // crate::a
            /// [`crate::b`]
            /* crate::c /* crate::d */ crate::e */
            const A: &str = "crate::f \" crate::g";
            const B: &str = r#"crate::h " crate::i"#;
            const C: (char, char, u8, &[u8]) = ('"', '\'', b'"', b"crate::j");
            fn f<'a>(x: &'a crate::k::L) {}
        "##;
        assert_eq!(paths(source), ["k::L"]);
    }

    #[test]
    fn code_of_tests_is_left_out() {
        let source = "
            #[cfg(test)] use crate::a::{B, C};
            #[cfg(test)] #[path = \"d.rs\"] mod d { use crate::e::F; }
            #[cfg(all(test, feature = \"g\"))] pub fn h<A, B>(i: crate::J) -> K { crate::l() }
            struct M { #[cfg(test)] n: crate::o::P, q: crate::r::S }
            #[cfg(test)] mod tests;
            #[cfg(any(test, feature = \"t\"))] use crate::u::V;
            #[cfg(feature = \"w\")] use crate::x::Y;
        ";
        assert_eq!(paths(source), ["r::S", "u::V", "x::Y"]);
        assert_eq!(read(source, &module("a::b")).tests, [module("a::b::tests")]);
    }

    #[test]
    fn lines_are_counted() {
        let source =
            "//! x\n/* y\n */\nconst A: &str = \"\n\\\n\";\nuse crate::{\n    b::C,\n    d,\n};\n";
        let found = read(source, &module("a"));
        let lines: Vec<_> = found.paths.iter().map(|named| named.line).collect();
        assert_eq!(lines, [8, 9]);
    }
}
