//! What a person sees: tables, documents, JSON.

mod json;
mod table;

use std::{
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use anstyle::Style;
use rpc_runtime::discovery::MethodInfo;
use serde::Serialize;

pub(crate) use json::indent;
pub(crate) use table::{Align, Table};

use crate::{
    duration,
    failure::{Failure, Kind},
};

/// Names and headings.
pub(crate) const BOLD: Style = Style::new().bold();
/// What is beside the point.
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

/// What an instance calls itself, as far as it takes to tell it from others.
pub(crate) fn short(instance: &str) -> String {
    instance.chars().take(8).collect()
}

/// Text of others without what a terminal would obey: control characters, and those that turn the direction of writing.
pub(crate) fn clean(text: &str) -> String {
    let hostile = |letter: char| {
        (letter.is_control() && letter != '\n')
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if hostile(letter) { '\u{fffd}' } else { letter }).collect()
}

/// Writes a line, or several, to the standard output.
pub(crate) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    writeln!(anstream::stdout(), "{}", text.as_ref()).map_err(|error| {
        Failure::new(Kind::Error, format!("the output cannot be written: {error}"))
    })
}

/// Writes a value as JSON to the standard output.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let unwritable =
        |error| Failure::new(Kind::Error, format!("the answer cannot be written as JSON: {error}"));
    raw_json(&serde_json::to_string(value).map_err(unwritable)?)
}

/// Writes JSON to the standard output: as it is, but indented and harmless where a person reads it.
pub(crate) fn raw_json(text: &str) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() { line(clean(&indent(text))) } else { line(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_moves_the_cursor() {
        assert_eq!(
            clean("a\u{1b}[2Jb\r\n\u{202e}c\u{9b}"),
            "a\u{fffd}[2Jb\u{fffd}\n\u{fffd}c\u{fffd}"
        );
    }
}
