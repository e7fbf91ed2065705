//! Output: tables, documents, JSON.

mod json;
mod table;

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use rpc_runtime::{Escaped, discovery::MethodInfo, is_unseen};
use serde::Serialize;

pub(crate) use json::indent;
pub(crate) use table::{Align, Table};

use crate::{
    duration,
    failure::{Failure, Kind},
};

/// Names and headings.
pub(crate) const BOLD: Style = Style::new().bold();
/// Less important text.
pub(crate) const DIM: Style = Style::new().dimmed();

/// A method as it is written in Rust.
pub(crate) fn signature(method: &MethodInfo) -> String {
    let arguments: Vec<String> =
        method.arguments.iter().map(|one| format!("{}: {}", one.name, one.ty)).collect();
    let returns = match method.returns.as_str() {
        "" | "()" => String::new(),
        other => format!(" -> {other}"),
    };
    format!("{}({}){returns}", method.name, arguments.join(", "))
}

/// The options of a method, as words.
pub(crate) fn options(method: &MethodInfo) -> Vec<String> {
    let flags = [
        (method.oneway, "oneway"),
        (method.blocking, "blocking"),
        (method.idempotent, "idempotent"),
        (method.at_most_once, "at_most_once"),
        (method.default, "default"),
    ];
    let flags = flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned());
    let times = [("timeout", method.timeout_ms), ("cacheable for", method.cacheable_ms)];
    let times = times.into_iter().filter_map(|(word, time)| {
        Some(format!("{word} {}", duration::show(Duration::from_millis(time?))))
    });
    flags.chain(times).collect()
}

/// The first characters of an instance's name.
pub(crate) fn short(instance: &str) -> String {
    instance.chars().take(8).collect()
}

/// Text of a peer on one line, with invisible characters escaped: control characters, line breaks, characters without a
/// width, and those that change the direction of writing.
pub(crate) fn clean(text: &str) -> String {
    Escaped::new(text).whole().to_string()
}

/// The same for text of several lines, such as documentation.
pub(crate) fn clean_lines(text: &str) -> String {
    Escaped::new(text).whole().lines().to_string()
}

/// The same for JSON, without changing its value.
pub(crate) fn clean_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unseen(letter) && letter != '\n' {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Writes a line, or several, to the standard output.
pub(crate) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    io::Write::write_fmt(&mut anstream::stdout(), format_args!("{}\n", text.as_ref())).map_err(
        |error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::unread(),
            _ => Failure::new(Kind::Error, format!("the output cannot be written: {error}")),
        },
    )
}

/// Prints a warning to the standard error.
pub(crate) fn warning(text: &str) {
    let yellow = Style::new().fg_color(Some(AnsiColor::Yellow.into())).bold();
    anstream::eprintln!("{yellow}warning:{yellow:#} {}", clean(text));
}

/// Writes a value as JSON to the standard output.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let unwritable =
        |error| Failure::new(Kind::Error, format!("the answer cannot be written as JSON: {error}"));
    raw_json(&serde_json::to_string(value).map_err(unwritable)?)
}

/// Writes JSON to the standard output: unchanged, but indented and escaped on a terminal.
pub(crate) fn raw_json(text: &str) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() { line(clean_json(&indent(text))) } else { line(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_peers_cannot_control_the_terminal() {
        let hostile = "a\u{1b}[2J\r\nb\u{202e}c\u{200b}\u{2028}\u{9b}";
        assert_eq!(clean(hostile), "a\\u{1b}[2J\\r\\nb\\u{202e}c\\u{200b}\\u{2028}\\u{9b}");
        assert_eq!(clean_lines(hostile), "a\\u{1b}[2J\\r\nb\\u{202e}c\\u{200b}\\u{2028}\\u{9b}");
    }

    #[test]
    fn json_that_is_shown_is_the_same_value() {
        let value = serde_json::json!({"a\u{202e}": ["\u{200b}\u{e0041}\u{9b}", "é\n"]});
        let shown = clean_json(&indent(&value.to_string()));
        assert!(!shown.chars().any(|letter| is_unseen(letter) && letter != '\n'), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
