//! The arguments of a call, as written on the command line.

use rpc_runtime::discovery::{ArgumentInfo, MethodInfo};
use serde_json::{Value, value::RawValue};
use tokio::io::AsyncReadExt as _;

use crate::{
    document::types,
    failure::{Failure, Kind},
    show::signature,
};

/// Most bytes read from a file or from the standard input: RabbitMQ's limit for a message.
const MOST: u64 = 16 * 1024 * 1024;

/// The arguments as written: JSON or plain text.
#[derive(Debug)]
pub(crate) struct Written(Vec<String>);

impl Written {
    /// Reads them: `-` is the standard input, `@file` the contents of a file.
    pub(crate) async fn read(written: &[String]) -> Result<Self, Failure> {
        let mut texts = Vec::new();
        for text in written {
            texts.push(match text.strip_prefix('@') {
                _ if text == "-" => read(tokio::io::stdin(), "the standard input").await?,
                Some(path) => match tokio::fs::File::open(path).await {
                    Ok(file) => read(file, path).await?,
                    Err(error) => return Err(unreadable(path, &error)),
                },
                None => text.clone(),
            });
        }
        Ok(Self(texts))
    }

    /// The first argument that is not JSON.
    pub(crate) fn plain_text(&self) -> Option<&str> {
        let plain = |text: &&String| serde_json::from_str::<&RawValue>(text).is_err();
        self.0.iter().find(plain).map(String::as_str)
    }

    /// The body of a request. One array or object is the body as it is; other arguments become the elements of an array.
    /// Text that is not JSON is a string if the method takes a string.
    pub(crate) fn body(&self, method: Option<&MethodInfo>) -> Result<String, Failure> {
        // A server that lists no arguments may be too old to list them.
        let described = method.filter(|method| !method.arguments.is_empty());
        let read = described.map_or(self.0.len(), |method| method.arguments.len());
        let mut values = Vec::new();
        for (index, text) in self.0.iter().take(read).enumerate() {
            let argument = described.and_then(|method| method.arguments.get(index));
            values.push(value(text, argument)?);
        }
        if let Some(method) = described {
            self.check_count(method)?;
        }
        Ok(match &values[..] {
            [only] if only.starts_with(['[', '{']) => only.clone(),
            several => format!("[{}]", several.join(",")),
        })
    }

    /// Checks that the number of arguments is right for the method.
    fn check_count(&self, method: &MethodInfo) -> Result<(), Failure> {
        let (given, expected) = (self.0.len(), method.arguments.len());
        let all_in_one = matches!(&self.0[..], [only] if only.trim_start().starts_with(['[', '{']));
        if given == expected || all_in_one {
            return Ok(());
        }
        let name = &method.name;
        let arguments = if expected == 1 { "argument" } else { "arguments" };
        let given = match given {
            0 => "none was given".to_owned(),
            1 => "1 was given".to_owned(),
            several => format!("{several} were given"),
        };
        let failure = format!("{name} takes {expected} {arguments}, {given}");
        Err(Failure::new(Kind::Usage, failure).remedy(signature(method)))
    }
}

/// How to write arguments.
const EXAMPLES: &str =
    r#"write numbers as 30, strings as '"text"', arguments by name as '{"n": 30}'"#;

/// The first characters of an argument, for messages.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The failure for an argument that is not JSON, when the types of the method are unknown. `why` is the reason.
pub(crate) fn not_known(text: &str, why: &str) -> Failure {
    let failure = Failure::new(Kind::Usage, format!("{why}, and {:?} is not JSON", shown(text)));
    // Text that begins like an array or an object was not meant as a string.
    if text.trim_start().starts_with(['[', '{', '"']) {
        return failure.remedy(EXAMPLES);
    }
    failure.remedy(format!("write a string as '{}'", quoted(&shown(text))))
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

/// One argument as JSON.
fn value(text: &str, argument: Option<&ArgumentInfo>) -> Result<String, Failure> {
    let is_string = argument.is_some_and(|one| types::is_string(&one.ty, one.schema.as_ref()));
    match serde_json::from_str::<&RawValue>(text) {
        // The method takes a string, so `42` or `true` is a string too.
        Ok(value)
            if is_string && !value.get().starts_with(['"', '[', '{']) && value.get() != "null" =>
        {
            Ok(quoted(text))
        }
        Ok(value) => Ok(value.get().to_owned()),
        Err(_) if is_string => Ok(quoted(text)),
        Err(error) => {
            let shown = shown(text);
            let message = match argument {
                Some(ArgumentInfo { name, ty, .. }) => {
                    format!(
                        "{shown:?} is not JSON, and nothing says that {name}: {ty} is a string: {error}"
                    )
                }
                None => format!("{shown:?} is not JSON: {error}"),
            };
            Err(Failure::new(Kind::Usage, message).remedy(EXAMPLES))
        }
    }
}

/// A JSON string, without the line break at the end of a file.
fn quoted(text: &str) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    Value::from(text.strip_suffix('\r').unwrap_or(text)).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn written(arguments: &[&str]) -> Result<String, Failure> {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        Written::read(&arguments).await?.body(None)
    }

    #[tokio::test]
    async fn arguments_become_one_array_or_object() {
        for (arguments, expected) in [
            (&[][..], "[]"),
            (&["30"], "[30]"),
            (&["[30]"], "[30]"),
            (&[" {\"n\": 30}"], "{\"n\": 30}"),
            (&["1", "\"two\"", "[3]"], "[1,\"two\",[3]]"),
            // Too large for any integer type.
            (&["123456789012345678901234567890"], "[123456789012345678901234567890]"),
        ] {
            assert_eq!(written(arguments).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn text_that_is_not_json_is_refused() {
        for arguments in [&["text"][..], &["{n: 30}"], &["1 2"], &["@no/such/file"]] {
            assert!(written(arguments).await.is_err(), "{arguments:?}");
        }
    }

    #[tokio::test]
    async fn plain_text_is_accepted_for_a_string() {
        let method: MethodInfo =
            serde_json::from_value(serde_json::json!({"name": "m", "arguments": [
                {"name": "id", "type": "OrderId", "schema": {"type": "string", "format": "uuid"}},
                {"name": "note", "type": "Option<String>"},
                {"name": "count", "type": "u32"},
            ]}))
            .unwrap();
        for (arguments, expected) in [
            (&["338ffa35-0", "two words", "3"][..], r#"["338ffa35-0","two words",3]"#),
            (&["\"quoted\"", "null", "3"], r#"["quoted",null,3]"#),
            (&["123", "true", "3"], r#"["123","true",3]"#),
            (&[r#"{"id": 1}"#], r#"{"id": 1}"#),
            (&["[1]"], "[1]"),
            (&["{id", "a\"b\n", "3"], r#"["{id","a\"b",3]"#),
        ] {
            let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
            let body = Written::read(&arguments).await.unwrap().body(Some(&method)).unwrap();
            assert_eq!(body, expected, "{arguments:?}");
        }
        let three = ["a", "b", "three"].map(str::to_owned);
        let refused = Written::read(&three).await.unwrap().body(Some(&method)).unwrap_err();
        assert!(format!("{refused:?}").contains("count: u32"), "{refused:?}");
    }

    #[tokio::test]
    async fn arguments_are_counted_before_anything_is_sent() {
        let hello = json!({"name": "hello", "arguments": [{"name": "name", "type": "String"}]});
        let both = json!({"name": "both", "arguments": [
            {"name": "a", "type": "u8"}, {"name": "b", "type": "u8"},
        ]});
        for (method, given, expected) in [
            (&hello, &["a", "b"][..], "hello takes 1 argument, 2 were given"),
            (&hello, &[], "hello takes 1 argument, none was given"),
            (&both, &["1"], "both takes 2 arguments, 1 was given"),
        ] {
            let method: MethodInfo = serde_json::from_value(method.clone()).unwrap();
            let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
            let refused = Written::read(&given).await.unwrap().body(Some(&method)).unwrap_err();
            assert_eq!(refused.message(), expected);
        }
        // A server that does not list the arguments of its methods.
        let unknown: MethodInfo = serde_json::from_value(json!({"name": "hello"})).unwrap();
        let given = Written::read(&["1".to_owned()]).await.unwrap();
        assert_eq!(given.body(Some(&unknown)).unwrap(), "[1]");
    }

    #[test]
    fn a_string_without_quotes_is_shown_with_them() {
        let failure = not_known("tea", "no server described the arguments of price");
        assert_eq!(
            failure.message(),
            "no server described the arguments of price, and \"tea\" is not JSON"
        );
        assert!(format!("{failure:?}").contains(r#"write a string as '\"tea\"'"#), "{failure:?}");
        let failure = not_known("{n: 30}", "no server described the arguments of price");
        assert!(format!("{failure:?}").contains("arguments by name"), "{failure:?}");
    }
}
