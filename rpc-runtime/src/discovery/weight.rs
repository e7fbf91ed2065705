//! Estimates from the punctuation of a JSON text how much memory it may take once it is decoded.
//!
//! `[{"":0},{"":0}]` takes a hundred bytes of memory for each byte of text, because every object is a node of a map.
//! So an answer is weighed before it is decoded, and it is not decoded if it is too heavy. Schemas weigh most and
//! matter least. So they are weighed apart, and can be left out.

use std::ops::Range;

/// The members that hold a JSON schema.
const SCHEMAS: [&[u8]; 3] = [b"schema", b"result_schema", b"error_schema"];

/// The most that an object takes. It is a node of a map with room for eleven members, or a described type in a list
/// that has just grown.
const OBJECT: usize = 1_536;
/// A list starts with room for four elements.
const LIST: usize = 256;
/// One more element or member.
const ELEMENT: usize = 192;

/// The weight of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// The weight without the schemas.
    pub(super) plain: usize,
    /// The weight of the schemas alone.
    pub(super) schemas: usize,
    /// The positions of the schemas' values in the text.
    at: Vec<Range<usize>>,
}

impl Weight {
    /// Weighs a text in one pass. It need not be JSON.
    pub(super) fn of(text: &[u8]) -> Self {
        Weighing { text, at: 0, depth: 0, weight: Self::default(), schema: None }.weigh()
    }

    pub(super) fn total(&self) -> usize {
        self.plain.saturating_add(self.schemas)
    }

    /// The text with `null` in the place of each schema.
    pub(super) fn without_schemas(&self, text: &[u8]) -> Vec<u8> {
        let mut kept = Vec::with_capacity(text.len());
        let mut from = 0;
        for range in &self.at {
            kept.extend_from_slice(text.get(from..range.start).unwrap_or_default());
            kept.extend_from_slice(b"null");
            from = range.end;
        }
        kept.extend_from_slice(text.get(from..).unwrap_or_default());
        kept
    }
}

struct Weighing<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    weight: Weight,
    /// The start and the depth of the schema that is being read.
    schema: Option<(usize, usize)>,
}

impl Weighing<'_> {
    fn weigh(mut self) -> Weight {
        self.weight.plain = self.text.len();
        while let Some(byte) = self.text.get(self.at).copied() {
            let ends = matches!(byte, b',' | b'}' | b']');
            if ends && self.schema.is_some_and(|(_, depth)| depth == self.depth) {
                self.end_schema();
            }
            self.at += 1;
            match byte {
                b'"' => self.string(),
                b'{' => self.open(OBJECT),
                b'[' => self.open(LIST),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                b',' => self.add(ELEMENT),
                _ => {}
            }
        }
        if self.schema.is_some() {
            self.end_schema();
        }
        self.weight
    }

    fn open(&mut self, weight: usize) {
        self.depth = self.depth.saturating_add(1);
        self.add(weight);
    }

    fn add(&mut self, weight: usize) {
        let sum = match self.schema {
            Some(_) => &mut self.weight.schemas,
            None => &mut self.weight.plain,
        };
        *sum = sum.saturating_add(weight);
    }

    /// Skips a string. If it is the name of a schema, the schema starts here.
    fn string(&mut self) {
        let from = self.at;
        loop {
            match self.text.get(self.at) {
                Some(b'\\') => self.at = self.at.saturating_add(2),
                Some(b'"') => break,
                Some(_) => self.at += 1,
                None => return,
            }
        }
        let name = self.text.get(from..self.at).unwrap_or_default();
        self.at += 1;
        if self.schema.is_none() && SCHEMAS.contains(&name) && self.takes_colon() {
            self.schema = Some((self.at, self.depth));
            // Counts the range that is stored for each schema.
            self.weight.plain = self.weight.plain.saturating_add(size_of::<Range<usize>>() * 3);
        }
    }

    fn takes_colon(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let colon = rest.get(space) == Some(&b':');
        if colon {
            self.at += space + 1;
        }
        colon
    }

    fn end_schema(&mut self) {
        if let Some((from, _)) = self.schema.take() {
            self.weight.at.push(from..self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn schemas_are_weighed_apart() {
        let text = br#"{"name":"schema","schema" : {"a":[1,{"schema":"}"}]},"b":["\"",{"result_schema":7}]}"#;
        let weight = Weight::of(text);
        assert_eq!(weight.schemas, 2 * OBJECT + LIST + ELEMENT);
        let kept: Value = serde_json::from_slice(&weight.without_schemas(text)).unwrap();
        let expected =
            json!({"name": "schema", "schema": null, "b": ["\"", {"result_schema": null}]});
        assert_eq!(kept, expected);
    }

    #[test]
    fn small_text_can_need_much_memory() {
        let text = format!("[{}0]", r#"{"":0},"#.repeat(1_000));
        assert!(Weight::of(text.as_bytes()).plain > 1_000 * OBJECT);
        let text = format!(r#"{{"result_schema":[{}0]}}"#, r#"{"":0},"#.repeat(1_000));
        let weight = Weight::of(text.as_bytes());
        assert!(weight.schemas > 1_000 * OBJECT && weight.plain < 8 * OBJECT + text.len());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<u32>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        let name = prop_oneof![
            Just("schema".to_owned()),
            Just("error_schema".to_owned()),
            any::<String>(),
        ];
        leaf.prop_recursive(5, 40, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(name.clone(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn blank(value: &mut Value) {
        match value {
            Value::Object(members) => members.iter_mut().for_each(|(name, value)| {
                if SCHEMAS.contains(&name.as_bytes()) {
                    *value = Value::Null;
                } else {
                    blank(value);
                }
            }),
            Value::Array(items) => items.iter_mut().for_each(blank),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn leaving_schemas_out_changes_nothing_else(mut value in any_json(), pretty in any::<bool>()) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let kept = Weight::of(text.as_bytes()).without_schemas(text.as_bytes());
            blank(&mut value);
            prop_assert_eq!(serde_json::from_slice::<Value>(&kept).unwrap(), value);
        }

        #[test]
        fn any_bytes_can_be_weighed(text in prop::collection::vec(prop_oneof![
            prop::sample::select(b"{}[],:\"\\ ".to_vec()), any::<u8>()], 0..200)) {
            let weight = Weight::of(&text);
            prop_assert!(weight.without_schemas(&text).len() <= 5 * text.len() + 8);
        }
    }
}
