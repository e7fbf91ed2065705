//! The arguments of a call, as they are written on a command line.

use serde_json::value::RawValue;
use tokio::io::AsyncReadExt as _;

use crate::failure::{Failure, Kind};

/// The most that is read from a file or from the standard input: what RabbitMQ takes.
const MOST: u64 = 16 * 1024 * 1024;

/// The body of a request: one array or object as it is, anything else as the elements of an array.
///
/// `-` is the standard input, `@file` the contents of a file.
pub(crate) async fn body(written: &[String]) -> Result<String, Failure> {
    let mut values = Vec::new();
    for text in written {
        let text = match text.strip_prefix('@') {
            _ if text == "-" => read(tokio::io::stdin(), "the standard input").await?,
            Some(path) => match tokio::fs::File::open(path).await {
                Ok(file) => read(file, path).await?,
                Err(error) => return Err(unreadable(path, &error)),
            },
            None => text.clone(),
        };
        values.push(json(&text)?);
    }
    Ok(match &values[..] {
        [only] if only.starts_with(['[', '{']) => only.clone(),
        several => format!("[{}]", several.join(",")),
    })
}

async fn read(source: impl tokio::io::AsyncRead + Unpin, name: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let mut source = source.take(MOST);
    source.read_to_string(&mut text).await.map_err(|error| unreadable(name, &error))?;
    Ok(text)
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Usage, format!("{name} cannot be read: {error}"))
}

fn json(text: &str) -> Result<String, Failure> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) => Ok(value.get().to_owned()),
        Err(error) => {
            let shown: String = text.chars().take(60).collect();
            let failure = Failure::new(Kind::Usage, format!("{shown:?} is not JSON: {error}"));
            Err(failure.remedy(
                r#"write numbers as 30, strings as '"text"', arguments by name as '{"n": 30}'"#,
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn written(arguments: &[&str]) -> Result<String, Failure> {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        body(&arguments).await
    }

    #[tokio::test]
    async fn arguments_are_an_object_an_array_or_one_after_another() {
        for (arguments, expected) in [
            (&[][..], "[]"),
            (&["30"], "[30]"),
            (&["[30]"], "[30]"),
            (&[" {\"n\": 30}"], "{\"n\": 30}"),
            (&["1", "\"two\"", "[3]"], "[1,\"two\",[3]]"),
            // Not read as a number of this program's.
            (&["123456789012345678901234567890"], "[123456789012345678901234567890]"),
        ] {
            assert_eq!(written(arguments).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn what_is_not_json_is_refused_before_anything_is_sent() {
        for arguments in [&["text"][..], &["{n: 30}"], &["1 2"], &["@no/such/file"]] {
            assert!(written(arguments).await.is_err(), "{arguments:?}");
        }
    }
}
