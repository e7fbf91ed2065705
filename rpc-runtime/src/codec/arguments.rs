//! A method's arguments: always a tuple here, on the wire as each encoding has it.

use std::fmt;

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::{SeqAccessDeserializer, UnitDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;

use super::{
    DecodeError, EncodeError, Encoding, binary,
    bounded::{Bounded, Budget},
    json, text,
};

/// One argument of a method.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ArgumentDescriptor {
    /// Its name.
    pub name: &'static str,
    /// Its type, as written at the trait.
    pub ty: &'static str,
}

/// Writes the tuple of a method's arguments.
pub(crate) fn encode_arguments<A: Serialize>(
    arguments: &A,
    described: &'static [ArgumentDescriptor],
    encoding: Encoding,
) -> Result<Bytes, EncodeError> {
    match encoding {
        Encoding::Bincode => binary::encode(arguments),
        Encoding::Json if described.is_empty() => Ok(Bytes::from_static(b"[]")),
        Encoding::Json => json::encode(arguments),
        Encoding::Text => text::encode_arguments(arguments),
    }
}

/// Reads the tuple of a method's arguments.
pub(crate) fn decode_arguments<A: DeserializeOwned>(
    body: &[u8],
    described: &'static [ArgumentDescriptor],
    encoding: Encoding,
) -> Result<A, DecodeError> {
    match encoding {
        Encoding::Bincode => binary::decode(body),
        Encoding::Json => decode_json(body, described),
        Encoding::Text if described.is_empty() => text::decode(body),
        Encoding::Text => text::decode_argument(body),
    }
}

fn decode_json<A: DeserializeOwned>(
    body: &[u8],
    described: &'static [ArgumentDescriptor],
) -> Result<A, DecodeError> {
    let read = match JsonArguments::read(body, described)? {
        JsonArguments::ByPosition => {
            return json::decode(body).map_err(|error| by_position::<A>(body, described, error));
        }
        JsonArguments::Nothing => A::deserialize(UnitDeserializer::new()),
        JsonArguments::ByName(ordered) => {
            let budget = Budget::for_bytes(body.len());
            A::deserialize(Bounded::new(SeqAccessDeserializer::new(ordered), &budget))
        }
    };
    read.map_err(|error| DecodeError::new(Encoding::Json, error))
}

/// Why arguments by position cannot be read. Reads them again, one by one, to name the one that is wrong.
#[cold]
fn by_position<A: DeserializeOwned>(
    body: &[u8],
    described: &'static [ArgumentDescriptor],
    error: DecodeError,
) -> DecodeError {
    let values = match positions(body, described) {
        Ok(values) => values,
        Err(wrong_count) => return wrong_count.unwrap_or(error),
    };
    let budget = Budget::for_bytes(body.len());
    match A::deserialize(Bounded::new(SeqAccessDeserializer::new(values), &budget)) {
        Ok(_) => error,
        Err(named) => DecodeError::new(Encoding::Json, named),
    }
}

/// The form of arguments in JSON: what can be said of them without their types.
enum JsonArguments<'a> {
    Nothing,
    ByPosition,
    ByName(OrderedArguments<'a>),
}

impl<'a> JsonArguments<'a> {
    // Compiled where types are read from JSON anyway, with what of serde_json both need.
    #[inline]
    fn read(body: &'a [u8], described: &'static [ArgumentDescriptor]) -> Result<Self, DecodeError> {
        let trimmed = body.trim_ascii();
        if trimmed.starts_with(b"{") {
            let named: NamedArguments<'_> = serde_json::from_slice(body)
                .map_err(|error| DecodeError::new(Encoding::Json, error))?;
            let ordered = named.in_order(described)?;
            return Ok(if described.is_empty() { Self::Nothing } else { Self::ByName(ordered) });
        }
        // An array is always the list of arguments.
        if let [argument] = described
            && !trimmed.is_empty()
            && !trimmed.starts_with(b"[")
        {
            let scalar: &RawValue = serde_json::from_slice(body)
                .map_err(|error| DecodeError::new(Encoding::Json, error))?;
            return Ok(Self::ByName(OrderedArguments(
                vec![(argument.name, Some(scalar))].into_iter(),
            )));
        }
        if !described.is_empty() {
            return Ok(Self::ByPosition);
        }
        // `()` is not a sequence to serde, so what is allowed to stand for no argument is read by hand.
        let items = trimmed.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
        match (trimmed, items.map(<[u8]>::trim_ascii)) {
            (b"" | b"null", _) | (_, Some(b"")) => Ok(Self::Nothing),
            _ => Err(DecodeError::because("the method takes no argument")),
        }
    }
}

/// The members of an object, in the order in which they came, undecoded.
struct NamedArguments<'a>(Vec<(String, &'a RawValue)>);

impl<'a> NamedArguments<'a> {
    fn in_order(
        mut self,
        described: &'static [ArgumentDescriptor],
    ) -> Result<OrderedArguments<'a>, DecodeError>
    where
        Self: 'a,
    {
        let mut values = Vec::with_capacity(described.len());
        for argument in described {
            let found = self.0.iter().position(|(name, _)| name == argument.name);
            values.push((argument.name, found.map(|index| self.0.swap_remove(index).1)));
        }
        match self.0.first() {
            None => Ok(OrderedArguments(values.into_iter())),
            Some((name, _)) if described.iter().any(|argument| argument.name == name) => {
                Err(DecodeError::because(format!("the argument `{name}` is given twice")))
            }
            Some((name, _)) => Err(DecodeError::because(format!(
                "there is no argument `{name}`; the method takes {}",
                listed(described)
            ))),
        }
    }
}

fn listed(described: &[ArgumentDescriptor]) -> String {
    let names: Vec<_> = described.iter().map(|argument| format!("`{}`", argument.name)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The elements of an array, undecoded. `Err` with what is wrong with their number; with nothing if they are no array.
fn positions<'a>(
    body: &'a [u8],
    described: &'static [ArgumentDescriptor],
) -> Result<OrderedArguments<'a>, Option<DecodeError>> {
    let count = match body.trim_ascii() {
        b"" => 0,
        // Counted first, which takes no memory, however many there are.
        _ => serde_json::from_slice::<Vec<IgnoredAny>>(body).map_err(|_| None)?.len(),
    };
    if count == described.len() {
        let values: Vec<&RawValue> = serde_json::from_slice(body).map_err(|_| None)?;
        let names = described.iter().map(|argument| argument.name);
        let values: Vec<_> = names.zip(values.into_iter().map(Some)).collect();
        return Ok(OrderedArguments(values.into_iter()));
    }
    let taken = listed(described);
    let said = match count {
        0 => "there is no argument".to_owned(),
        1 => "there is 1 argument".to_owned(),
        several => format!("there are {several} arguments"),
    };
    Err(Some(DecodeError::because(format!("{said}; the method takes {taken}"))))
}

impl<'de> Deserialize<'de> for NamedArguments<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = NamedArguments<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of arguments by name")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(NamedArguments(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// The same in the order of the method, with gaps where a name was missing.
struct OrderedArguments<'a>(std::vec::IntoIter<(&'static str, Option<&'a RawValue>)>);

impl<'de> SeqAccess<'de> for OrderedArguments<'de> {
    type Error = serde_json::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Self::Error> {
        match self.0.next() {
            None => Ok(None),
            // Not as text, for which serde_json has another reader: the type would be compiled for both.
            Some((name, Some(value))) => {
                let mut json = serde_json::Deserializer::from_slice(value.get().as_bytes());
                seed.deserialize(&mut json).map(Some).map_err(|error| of_argument(name, &error))
            }
            Some((name, None)) => seed.deserialize(Missing(name)).map(Some),
        }
    }
}

/// The lines and columns of the error begin with the argument.
#[cold]
fn of_argument(name: &str, error: &serde_json::Error) -> serde_json::Error {
    serde_json::Error::custom(format_args!("the argument `{name}`: {error}"))
}

/// `None` to an `Option`, an error to anything else.
struct Missing(&'static str);

impl<'de> Deserializer<'de> for Missing {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom(format_args!("the argument `{}` is missing", self.0)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[ArgumentDescriptor] = &[
        ArgumentDescriptor { name: "n", ty: "u32" },
        ArgumentDescriptor { name: "label", ty: "Option<String>" },
    ];

    fn two(body: &str) -> Result<(u32, Option<String>), String> {
        decode_arguments(body.as_bytes(), TWO, Encoding::Json).map_err(|error| error.in_full())
    }

    #[test]
    fn json_arguments_are_read_by_position_and_by_name() {
        assert_eq!(two(r#"[30, "x"]"#).unwrap(), (30, Some("x".to_owned())));
        assert_eq!(two(r#"{"label": "x", "n": 30}"#).unwrap(), (30, Some("x".to_owned())));
        assert_eq!(two(r#" {"n": 30}"#).unwrap(), (30, None));
    }

    #[test]
    fn json_arguments_unknown_duplicate_or_missing_are_named() {
        assert!(two(r#"{"m": 1, "n": 30}"#).unwrap_err().contains("no argument `m`"));
        assert!(two(r#"{"n": 1, "n": 2}"#).unwrap_err().contains("`n` is given twice"));
        assert!(two(r#"{"label": "x"}"#).unwrap_err().contains("`n` is missing"));
        assert!(two("[30]").is_err());
        assert!(two(r#"[30, "x", 1]"#).is_err());
        assert!(two("").is_err());
        assert!(two("30").is_err());
    }

    #[test]
    fn an_argument_that_cannot_be_read_is_named() {
        let wrong = "not the JSON expected here: the argument `label`: invalid type: integer `1`, expected a string at line 1 column 1";
        assert_eq!(two(r#"{"n": 30, "label": 1}"#).unwrap_err(), wrong);
        assert_eq!(two("[30, 1]").unwrap_err(), wrong);
        assert!(two(r#"["x", 1]"#).unwrap_err().contains("the argument `n`: invalid type: string"));
    }

    #[test]
    fn arguments_by_position_are_counted() {
        let taken = "the method takes `n`, `label`";
        for body in ["[]", "", " [ ]"] {
            assert_eq!(
                two(body).unwrap_err(),
                format!("there is no argument; {taken}"),
                "{body:?}"
            );
        }
        assert_eq!(two("[30]").unwrap_err(), format!("there is 1 argument; {taken}"));
        assert_eq!(two("[1, 2, 3]").unwrap_err(), format!("there are 3 arguments; {taken}"));
        // It is no array.
        assert!(two("30").unwrap_err().contains("invalid type: integer `30`"));
        let cut = two(r#"[30, "x""#).unwrap_err();
        assert!(cut.contains("EOF"), "{cut}");
    }

    #[test]
    fn a_bare_scalar_is_the_only_argument() {
        const ONE: &[ArgumentDescriptor] = &[ArgumentDescriptor { name: "n", ty: "T" }];
        fn one<T: DeserializeOwned>(body: &str) -> Result<T, String> {
            let read = decode_arguments::<(T,)>(body.as_bytes(), ONE, Encoding::Json);
            read.map(|(argument,)| argument).map_err(|error| error.in_full())
        }
        assert_eq!(one::<u32>("30").unwrap(), 30);
        assert_eq!(one::<f64>(" -1.5e3\n").unwrap().to_string(), "-1500");
        assert_eq!(one::<String>(r#""a\"bc""#).unwrap(), "a\"bc");
        assert!(one::<bool>("true").unwrap());
        assert_eq!(one::<Option<u32>>("null").unwrap(), None);
        assert_eq!(one::<Option<u32>>("30").unwrap(), Some(30));
        // An array is the list of arguments, and an object has their names.
        assert_eq!(one::<Vec<u32>>("[[1, 2]]").unwrap(), [1, 2]);
        assert_eq!(one::<u32>("[30]").unwrap(), 30);
        assert_eq!(one::<u32>(r#"{"n": 30}"#).unwrap(), 30);
        assert!(one::<Vec<u32>>("[1, 2]").is_err());
        assert!(one::<u32>(r#""30""#).unwrap_err().contains("expected u32"));
        for body in ["", " ", "null", "30 40", "30,", "3x", "thirty", "\"30", "-", "]"] {
            assert!(one::<u32>(body).is_err(), "{body:?}");
        }
        assert!(decode_arguments::<(String,)>(b"\"\xff\"", ONE, Encoding::Json).is_err());
    }

    #[test]
    fn a_bare_scalar_is_bounded() {
        #[derive(Debug, Deserialize)]
        struct Chain(#[allow(dead_code, reason = "decoded, not read")] Option<Box<Chain>>);
        const ONE: &[ArgumentDescriptor] = &[ArgumentDescriptor { name: "c", ty: "Chain" }];
        decode_arguments::<(Chain,)>(b"1", ONE, Encoding::Json).unwrap_err();
    }

    #[test]
    fn no_argument_is_an_empty_array_and_read_in_four_ways() {
        assert_eq!(encode_arguments(&(), &[], Encoding::Json).unwrap(), "[]");
        for body in ["[]", "{}", "null", "", " [ ] "] {
            decode_arguments::<()>(body.as_bytes(), &[], Encoding::Json).unwrap();
        }
        for body in ["[1]", "[[]]", "[", "]", "[]]", r#"{"n":1}"#, "1"] {
            assert!(
                decode_arguments::<()>(body.as_bytes(), &[], Encoding::Json).is_err(),
                "{body}"
            );
        }
    }

    #[test]
    fn enumerations_and_newtypes_are_read_by_name_too() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Meters(f64);
        #[derive(Debug, PartialEq, Deserialize)]
        enum Shape {
            Dot,
            Circle { radius: Meters },
        }
        const SHAPE: &[ArgumentDescriptor] = &[ArgumentDescriptor { name: "shape", ty: "Shape" }];
        let read =
            |body: &str| decode_arguments::<(Shape,)>(body.as_bytes(), SHAPE, Encoding::Json);
        assert_eq!(read(r#"{"shape": "Dot"}"#).unwrap(), (Shape::Dot,));
        let circle = read(r#"{"shape": {"Circle": {"radius": 2}}}"#).unwrap();
        assert_eq!(circle, (Shape::Circle { radius: Meters(2.0) },));
    }
}
