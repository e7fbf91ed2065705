//! The value of an option, by kind.

use std::time::Duration;

use syn::{Lit, LitStr, Path, parse::Parser as _};

use super::{Given, entry::Entry};
use crate::{
    duration,
    errors::{Errors, Fault},
    model::Encoding,
    suggest,
};

const ENCODINGS: &[(&str, Encoding)] =
    &[("bincode", Encoding::Bincode), ("json", Encoding::Json), ("text", Encoding::Text)];

/// `name = "…"`.
pub(super) fn string(entry: Entry, example: &str, errors: &Errors) -> Option<Given<String>> {
    let at = entry.value_or_key();
    match literal(&entry) {
        Some(Lit::Str(text)) => Some(Given { key: entry.key, value: text.value(), at }),
        _ => {
            errors.push(wrong_kind(&entry, "a string literal", example));
            None
        }
    }
}

/// `version = 2`.
pub(super) fn version(entry: Entry, errors: &Errors) -> Option<Given<u32>> {
    let at = entry.value_or_key();
    let Some(Lit::Int(number)) = literal(&entry) else {
        let example = match literal(&entry) {
            Some(Lit::Str(text)) if text.value().parse::<u32>().is_ok() => {
                format!("version = {}", text.value())
            }
            _ => "version = 2".to_owned(),
        };
        errors.push(wrong_kind(&entry, "a whole number", &example));
        return None;
    };
    if !matches!(number.suffix(), "" | "u32") {
        errors.push(wrong_kind(
            &entry,
            "a `u32`",
            &format!("version = {}", number.base10_digits()),
        ));
        return None;
    }
    match number.base10_parse() {
        Ok(value) => Some(Given { key: entry.key, value, at }),
        Err(_) => {
            let fault = Fault::new(&at, format!("`version = {number}` is out of range"))
                .note("a version is a `u32`: a whole number from 0 to 4294967295");
            errors.push(fault);
            None
        }
    }
}

/// `timeout = "5s"`, `cacheable = "30s"`: a `what`.
pub(super) fn duration(entry: Entry, what: &str, errors: &Errors) -> Option<Given<Duration>> {
    let key = entry.key.to_string();
    if let Some(Lit::Int(number)) = literal(&entry) {
        let example = format!("{key} = \"{}s\"", number.base10_digits());
        errors.push(wrong_kind(&entry, "a string literal with a unit", &example));
        return None;
    }
    let given = string(entry, &format!("{key} = \"5s\""), errors)?;
    match duration::parse(&given.value) {
        Ok(value) => Some(Given { key: given.key, value, at: given.at }),
        Err(reason) => {
            let fault = Fault::new(
                &given.at,
                format!("{:?} is not a {what}: {reason}", given.value),
            )
            .note(format!(
                "a {what} is a number and a unit: `ms`, `s`, `m`, `h` or `d`, also several together"
            ))
            .help("write one like `\"250ms\"`, `\"5s\"`, `\"1.5s\"` or `\"1h30m\"`");
            errors.push(fault);
            None
        }
    }
}

/// `encoding = "json"`.
pub(super) fn encoding(entry: Entry, errors: &Errors) -> Option<Given<Encoding>> {
    let given = string(entry, "encoding = \"json\"", errors)?;
    if let Some((_, value)) = ENCODINGS.iter().find(|(name, _)| *name == given.value) {
        return Some(Given { key: given.key, value: *value, at: given.at });
    }
    let names: Vec<&str> = ENCODINGS.iter().map(|(name, _)| *name).collect();
    let fault = Fault::new(&given.at, format!("{:?} is not an encoding", given.value))
        .note("the encodings are \"bincode\" (the default), \"json\" and \"text\"");
    errors.push(match suggest::nearest(&given.value, &names) {
        Some(meant) => fault.help(format!("did you mean `encoding = \"{meant}\"`?")),
        None => fault,
    });
    None
}

/// `crate = path::to::rpc_runtime`, or the same in quotes.
pub(super) fn path(entry: Entry, errors: &Errors) -> Option<Given<Path>> {
    let at = entry.value_or_key();
    let written = entry.value.clone().unwrap_or_default();
    let unquoted = syn::parse2::<LitStr>(written.clone())
        .and_then(|text| text.parse_with(Path::parse_mod_style));
    match unquoted.or_else(|_| Path::parse_mod_style.parse2(written)) {
        Ok(value) => Some(Given { key: entry.key, value, at }),
        Err(_) => {
            errors.push(wrong_kind(&entry, "a path", "crate = path::to::rpc_runtime"));
            None
        }
    }
}

/// `oneway`.
pub(super) fn flag(entry: Entry, errors: &Errors) -> Option<Given<()>> {
    let Some(value) = &entry.value else {
        let at = entry.value_or_key();
        return Some(Given { key: entry.key, value: (), at });
    };
    let key = &entry.key;
    let remedy = if value.to_string() == "false" {
        format!("leave `{key}` out")
    } else {
        format!("write `#[rpc({key})]`")
    };
    errors.push(Fault::new(value, format!("`{key}` takes no value")).help(remedy));
    None
}

fn literal(entry: &Entry) -> Option<Lit> {
    entry.value.clone().and_then(|value| syn::parse2(value).ok())
}

fn wrong_kind(entry: &Entry, kind: &str, example: &str) -> Fault {
    let key = &entry.key;
    let what = if entry.value.is_some() {
        format!("the value of `{key}` has to be {kind}")
    } else {
        format!("`{key}` needs a value, {kind}")
    };
    Fault::new(&entry.value_or_key(), what).help(format!("write `{example}`"))
}
