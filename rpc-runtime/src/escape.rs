//! Escapes text from peers and from the broker for log lines, errors and terminals.
//!
//! Otherwise a correlation id with a line break could forge a log line, and one with an escape sequence could move the
//! cursor of a reader's terminal.

use std::fmt::{self, Write as _};

/// The most characters of a peer's text in a log line: more than any sensible name or id has.
const LONGEST: usize = 256;

/// Shows a peer's text. Invisible characters are escaped as in Rust (`\n`, `\u{202e}`), and text of more than 256 characters
/// is cut.
///
/// Not part of the API: the program `rpc` uses it, too.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<T> {
    text: T,
    longest: usize,
    keeps_lines: bool,
}

impl<T: fmt::Display> Escaped<T> {
    /// Shows text in one line, cut after 256 characters.
    pub const fn new(text: T) -> Self {
        Self { text, longest: LONGEST, keeps_lines: false }
    }

    /// Does not cut the text: for text whose length is bounded already.
    #[must_use]
    pub fn whole(self) -> Self {
        self.at_most(usize::MAX)
    }

    /// Cuts the text after this many characters.
    #[must_use]
    pub fn at_most(mut self, characters: usize) -> Self {
        self.longest = characters;
        self
    }

    /// Keeps line breaks: for documentation, which has several lines.
    #[must_use]
    pub fn lines(mut self) -> Self {
        self.keeps_lines = true;
        self
    }
}

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keeps_lines = self.keeps_lines;
        write!(Escaping { to: f, left: self.longest, cut: false, keeps_lines }, "{}", self.text)
    }
}

/// Whether a character is escaped: it controls a terminal, breaks a line, changes the direction of writing, or has no width.
/// The variation selectors of emoji are not escaped.
pub fn is_unseen(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control();
    }
    letter.is_control()
        || matches!(
            letter,
            // Line and paragraph separators, and marks that annotate other text.
            '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}'
            // Characters that programs should ignore if they cannot show them, according to Unicode.
            | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

struct Escaping<'a, 'f> {
    to: &'a mut fmt::Formatter<'f>,
    /// Characters that still fit.
    left: usize,
    cut: bool,
    keeps_lines: bool,
}

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The fast path: nearly every text is short and has nothing to escape.
        let plain = |byte: u8| (b' '..=b'~').contains(&byte);
        if text.len() <= self.left && text.bytes().all(plain) {
            self.left -= text.len();
            return self.to.write_str(text);
        }
        text.chars().try_for_each(|letter| self.write_char(letter))
    }

    fn write_char(&mut self, letter: char) -> fmt::Result {
        let Some(left) = self.left.checked_sub(1) else {
            return if std::mem::replace(&mut self.cut, true) {
                Ok(())
            } else {
                self.to.write_char('…')
            };
        };
        self.left = left;
        let is_kept_break = self.keeps_lines && letter == '\n';
        if is_unseen(letter) && !is_kept_break {
            write!(self.to, "{}", letter.escape_default())
        } else {
            self.to.write_char(letter)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn invisible_characters_are_escaped() {
        for (text, shown) in [
            ("fib", "fib"),
            ("größe 30 €", "größe 30 €"),
            ("a\nb\r\tc\0", "a\\nb\\r\\tc\\u{0}"),
            ("\u{1b}[2J\u{9b}\u{7f}", "\\u{1b}[2J\\u{9b}\\u{7f}"),
            ("\u{202e}\u{2066}\u{200f}\u{61c}", "\\u{202e}\\u{2066}\\u{200f}\\u{61c}"),
            ("a\u{200b}b\u{feff}\u{ad}\u{e0041}", "a\\u{200b}b\\u{feff}\\u{ad}\\u{e0041}"),
            ("\u{2028}\u{2029}\u{85}", "\\u{2028}\\u{2029}\\u{85}"),
            ("\u{26a0}\u{fe0f}", "\u{26a0}\u{fe0f}"),
        ] {
            assert_eq!(Escaped::new(text).to_string(), shown);
        }
        assert_eq!(Escaped::new("one\r\ntwo\u{2028}").lines().to_string(), "one\\r\ntwo\\u{2028}");
    }

    #[test]
    fn a_long_text_is_cut() {
        let long = "é".repeat(2 * LONGEST);
        let shown = Escaped::new(&long).to_string();
        assert_eq!(shown, format!("{}…", "é".repeat(LONGEST)));
        assert_eq!(Escaped::new("abcd").at_most(3).to_string(), "abc…");
        assert_eq!(Escaped::new("abc").at_most(3).to_string(), "abc");
        assert_eq!(Escaped::new(&long).whole().to_string(), long);
        // Written in several pieces.
        let pieces = Escaped::new(format_args!("{}{}{}", "ab", "cd", "ef")).at_most(3).to_string();
        assert_eq!(pieces, "abc…");
    }

    proptest! {
        #[test]
        fn any_text_is_shown_without_invisible_characters(text in any::<String>()) {
            let shown = Escaped::new(&text).to_string();
            prop_assert!(!shown.chars().any(is_unseen), "{shown:?}");
            let longest = "\\u{10ffff}".len();
            prop_assert!(shown.chars().count() <= LONGEST * longest + 1);
        }
    }
}
