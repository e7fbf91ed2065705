//! The types of a service that have names of their own, as their JSON Schemas describe them.
//!
//! Schemas come from a peer. So the number of types, their parts, their depth and the length of words are bounded.

use std::collections::BTreeSet;

use rpc_runtime::discovery::{MethodInfo, ServiceInfo};
use serde_json::Value;

use super::types;
use crate::show::clean;

/// Most types of a service that are shown.
const MOST_TYPES: usize = 200;
/// Most parts of all types together that are shown.
const MOST_PARTS: usize = 5_000;
/// Deepest nesting that is shown.
const DEEPEST: usize = 16;
/// The longest name or value that is shown, in characters.
const LONGEST_WORD: usize = 100;
/// The width of a line, with room for indentation on a terminal.
const WIDTH: usize = 76;

/// The named types of a service, in the order of its methods.
#[derive(Debug, Default)]
pub(crate) struct NamedTypes {
    pub(crate) described: Vec<NamedType>,
    /// Types without a schema.
    pub(crate) undescribed: Vec<String>,
}

/// A type and its parts.
#[derive(Debug)]
pub(crate) struct NamedType {
    pub(crate) name: String,
    pub(crate) doc: String,
    /// `{ id: string (uuid), note?: string | null }`, on one line or on several.
    pub(crate) shape: String,
}

impl NamedTypes {
    pub(crate) fn of(service: &ServiceInfo) -> Self {
        let mut gathering = Gathering { parts: MOST_PARTS, ..Gathering::default() };
        for (ty, schema) in service.methods.iter().flat_map(mentioned) {
            gathering.mention(ty, schema);
        }
        let Gathering { mut types, undescribed, .. } = gathering;
        types.undescribed.extend(undescribed);
        types
    }
}

/// The types of a method's arguments, result and error.
fn mentioned(method: &MethodInfo) -> Vec<(&str, Option<&Value>)> {
    let arguments = method.arguments.iter().map(|one| (one.ty.as_str(), one.schema.as_ref()));
    let (value, error) = types::result(&method.returns);
    let error = error.map(|error| (error, method.error_schema.as_ref()));
    arguments.chain([(value, method.result_schema.as_ref())]).chain(error).collect()
}

#[derive(Default)]
struct Gathering {
    types: NamedTypes,
    known: BTreeSet<String>,
    undescribed: BTreeSet<String>,
    /// How many parts may still be shown.
    parts: usize,
}

impl Gathering {
    fn mention(&mut self, ty: &str, schema: Option<&Value>) {
        for (name, schema) in types::named_parts(ty, schema) {
            let name = word(name);
            match schema {
                Some(schema) => self.describe(&name, &schema),
                None if self.undescribed.len() < MOST_TYPES => {
                    self.undescribed.insert(name);
                }
                None => {}
            }
        }
        // Recursive types are in `definitions`.
        let definitions = schema.and_then(|schema| schema.get("definitions")?.as_object());
        for (name, schema) in definitions.into_iter().flatten() {
            self.describe(&word(name), schema);
        }
    }

    fn describe(&mut self, name: &str, schema: &Value) {
        let refers_to_itself =
            schema.get("$ref").and_then(Value::as_str).is_some_and(|to| last(to) == name);
        if refers_to_itself || self.known.len() >= MOST_TYPES || self.parts == 0 {
            return;
        }
        if self.known.insert(name.to_owned()) {
            self.undescribed.remove(name);
            let shape = Reading { name, parts: &mut self.parts }.shape(schema, 0);
            let mut written = String::new();
            shape.write(&mut written, 0);
            let described = NamedType { name: name.to_owned(), doc: doc(schema), shape: written };
            self.types.described.push(described);
        }
    }
}

/// The form of a JSON value.
enum Shape {
    Word(String),
    Object(Vec<Member>),
    List(Vec<Shape>),
    /// Alternatives (`|`), or parts that all apply (`&`).
    Several(&'static str, Vec<Shape>),
}

struct Member {
    /// `note?: `
    label: String,
    shape: Shape,
    doc: String,
}

struct Reading<'a> {
    /// The name of the type, for references to the whole schema.
    name: &'a str,
    parts: &'a mut usize,
}

impl Reading<'_> {
    fn shape(&mut self, schema: &Value, depth: usize) -> Shape {
        if depth >= DEEPEST || *self.parts == 0 {
            return Shape::Word("…".to_owned());
        }
        *self.parts -= 1;
        let Some(schema) = schema.as_object() else {
            return Shape::Word(if schema == false { "never" } else { "any" }.to_owned());
        };
        let get = |key: &str| schema.get(key);
        if let Some(to) = get("$ref").and_then(Value::as_str) {
            return Shape::Word(if to == "#" { self.name.to_owned() } else { word(last(to)) });
        }
        if let Some(value) = get("const") {
            return Shape::Word(word(&value.to_string()));
        }
        if let Some(values) = get("enum").and_then(Value::as_array) {
            return self.several(" | ", values, |_, value| Shape::Word(word(&value.to_string())));
        }
        let mut together = Vec::new();
        for (key, between) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
            if let Some(schemas) = get(key).and_then(Value::as_array) {
                together
                    .push(self.several(between, schemas, |this, one| this.shape(one, depth + 1)));
            }
        }
        if together.is_empty() || get("properties").is_some() {
            together.insert(0, self.by_type(schema, depth));
        }
        match together.len() {
            1 => together.remove(0),
            _ => Shape::Several(" & ", together),
        }
    }

    fn several(
        &mut self,
        between: &'static str,
        schemas: &[Value],
        mut shape: impl FnMut(&mut Self, &Value) -> Shape,
    ) -> Shape {
        let mut shapes: Vec<Shape> = Vec::new();
        for schema in schemas {
            if *self.parts == 0 {
                shapes.push(Shape::Word("…".to_owned()));
                break;
            }
            *self.parts -= 1;
            shapes.push(shape(self, schema));
        }
        if shapes.len() == 1 { shapes.remove(0) } else { Shape::Several(between, shapes) }
    }

    fn by_type(&mut self, schema: &serde_json::Map<String, Value>, depth: usize) -> Shape {
        match schema.get("type") {
            Some(Value::Array(types)) => self.several(" | ", types, |this, ty| {
                this.of_type(ty.as_str().unwrap_or_default(), schema, depth)
            }),
            Some(Value::String(ty)) => self.of_type(ty, schema, depth),
            _ if schema.contains_key("properties") => self.of_type("object", schema, depth),
            _ => {
                let title = schema.get("title").and_then(Value::as_str);
                Shape::Word(title.map_or("any".to_owned(), word))
            }
        }
    }

    fn of_type(
        &mut self,
        ty: &str,
        schema: &serde_json::Map<String, Value>,
        depth: usize,
    ) -> Shape {
        let get = |key: &str| schema.get(key);
        match ty {
            "object" => self.object(schema, depth),
            "array" => match get("items") {
                Some(Value::Array(items)) => {
                    let items = items.iter().take(*self.parts);
                    Shape::List(items.map(|item| self.shape(item, depth + 1)).collect())
                }
                Some(item) => Shape::List(vec![self.shape(item, depth + 1)]),
                None => Shape::Word("array".to_owned()),
            },
            other => match get("format").and_then(Value::as_str) {
                Some(format) if other != "null" => {
                    Shape::Word(format!("{} ({})", word(other), word(format)))
                }
                _ => Shape::Word(word(other)),
            },
        }
    }

    fn object(&mut self, schema: &serde_json::Map<String, Value>, depth: usize) -> Shape {
        let required: BTreeSet<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut members = Vec::new();
        for (name, schema) in
            schema.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            if *self.parts == 0 {
                let (label, doc) = (String::new(), String::new());
                members.push(Member { label, shape: Shape::Word("…".to_owned()), doc });
                break;
            }
            let mark = if required.contains(name.as_str()) { "" } else { "?" };
            let (label, doc) = (format!("{}{mark}: ", key(name)), doc(schema));
            members.push(Member { label, shape: self.shape(schema, depth + 1), doc });
        }
        match schema.get("additionalProperties") {
            Some(others) if others.is_object() => {
                let label = "[name]: ".to_owned();
                let shape = self.shape(others, depth + 1);
                members.push(Member { label, shape, doc: String::new() });
            }
            _ if members.is_empty() => return Shape::Word("object".to_owned()),
            _ => {}
        }
        Shape::Object(members)
    }
}

impl Shape {
    /// The shape on one line; `None` if a part has documentation or the line is longer than `left`.
    fn inline(&self, left: usize) -> Option<String> {
        let joined = |shapes: &mut dyn Iterator<Item = (&str, &Self)>, between: &str| {
            let mut line = String::new();
            for (label, shape) in shapes {
                if !line.is_empty() {
                    line.push_str(between);
                }
                line.push_str(label);
                let used = line.chars().count();
                line.push_str(&shape.inline(left.checked_sub(used)?)?);
            }
            Some(line)
        };
        let line = match self {
            Self::Word(word) => word.clone(),
            Self::Object(members) if members.iter().any(|member| !member.doc.is_empty()) => {
                return None;
            }
            Self::Object(members) => {
                let mut all = members.iter().map(|one| (one.label.as_str(), &one.shape));
                format!("{{ {} }}", joined(&mut all, ", ")?)
            }
            Self::List(items) => {
                format!("[{}]", joined(&mut items.iter().map(|one| ("", one)), ", ")?)
            }
            Self::Several(between, shapes) => {
                joined(&mut shapes.iter().map(|one| ("", one)), between)?
            }
        };
        (line.chars().count() <= left).then_some(line)
    }

    fn write(&self, to: &mut String, indentation: usize) {
        if let Some(line) = self.inline(WIDTH.saturating_sub(indentation)) {
            to.push_str(&line);
            return;
        }
        let line = |to: &mut String, indentation: usize| {
            to.push('\n');
            to.extend(std::iter::repeat_n(' ', indentation));
        };
        match self {
            Self::Word(word) => to.push_str(word),
            Self::Object(members) => {
                to.push('{');
                for Member { label, shape, doc } in members {
                    if let Some(doc) = doc.lines().next() {
                        line(to, indentation + 2);
                        to.push_str("// ");
                        to.push_str(doc.trim());
                    }
                    line(to, indentation + 2);
                    to.push_str(label);
                    shape.write(to, indentation + 2);
                    to.push(',');
                }
                line(to, indentation);
                to.push('}');
            }
            Self::List(items) => {
                to.push('[');
                for item in items {
                    line(to, indentation + 2);
                    item.write(to, indentation + 2);
                    to.push(',');
                }
                line(to, indentation);
                to.push(']');
            }
            Self::Several(between, shapes) => {
                for shape in shapes {
                    line(to, indentation + 2);
                    to.push_str(between.trim_start());
                    shape.write(to, indentation + 4);
                }
            }
        }
    }
}

/// The name of a member, as JavaScript writes it.
fn key(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !name.is_empty() && name.len() <= LONGEST_WORD && name.chars().all(plain) {
        return name.to_owned();
    }
    word(&Value::from(name).to_string())
}

/// Text of a peer, on one line and cut to `LONGEST_WORD`.
fn word(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST_WORD).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    clean(&short)
}

fn doc(schema: &Value) -> String {
    let doc = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    doc.lines().take(20).map(word).collect::<Vec<_>>().join("\n")
}

/// The name at the end of a reference.
fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The types of a service whose one method has this argument and this result.
    fn of(argument: (&str, Value), result: (&str, Value)) -> NamedTypes {
        let (ty, schema) = argument;
        let (returns, result_schema) = result;
        let method = json!({
            "name": "m", "arguments": [{"name": "a", "type": ty, "schema": schema}],
            "returns": returns, "result_schema": result_schema,
        });
        let service = json!({"name": "S", "methods": [method]});
        NamedTypes::of(&serde_json::from_value(service).unwrap())
    }

    fn shown(types: &NamedTypes) -> Vec<String> {
        types.described.iter().map(|one| format!("{} = {}", one.name, one.shape)).collect()
    }

    #[test]
    fn types_are_found_in_lists_options_and_results() {
        let order = json!({
            "title": "Order", "type": "object", "required": ["id"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "note": {"type": ["string", "null"]},
            },
        });
        let list = json!({"title": "Array_of_Order", "type": "array", "items": order});
        let page = json!({"anyOf": [{"title": "Page", "type": "integer", "format": "uint8"}, {"type": "null"}]});
        let types = of(("Vec<shop::Order>", list), ("Result<Option<Page>, Broken>", page));
        assert_eq!(
            shown(&types),
            ["shop::Order = { id: string (uuid), note?: string | null }", "Page = integer (uint8)",]
        );
        assert_eq!(types.undescribed, ["Broken"]);
    }

    #[test]
    fn documentation_takes_lines_of_its_own() {
        let order = json!({
            "description": "What is ordered.", "type": "object", "required": ["lines"],
            "properties": {"lines": {
                "description": "At least one.\nMore is fine.", "type": "array",
                "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}},
            }},
        });
        let types = of(("NewOrder", order), ("()", Value::Null));
        assert_eq!(
            shown(&types),
            ["NewOrder = {\n  // At least one.\n  lines: [{ sku: string }],\n}"]
        );
        assert_eq!(types.described[0].doc, "What is ordered.");
    }

    #[test]
    fn enumerations_are_alternatives() {
        let error = json!({"oneOf": [
            {"type": "string", "enum": ["NotFound", "Closed"]},
            {"type": "object", "required": ["TooMany"], "properties": {"TooMany": {"type": "object", "properties": {"largest": {"type": "integer"}}}}},
        ]});
        let types = of(("Refusal", error), ("u8", Value::Null));
        assert_eq!(
            shown(&types),
            [r#"Refusal = "NotFound" | "Closed" | { TooMany: { largest?: integer } }"#]
        );
    }

    #[test]
    fn a_recursive_type_is_described_once() {
        let tree = json!({
            "$ref": "#/definitions/Tree",
            "definitions": {"Tree": {"type": "object", "properties": {
                "children": {"type": "array", "items": {"$ref": "#/definitions/Tree"}},
            }}},
        });
        let types = of(
            ("Tree", tree.clone()),
            ("Vec<Tree>", json!({"type": "array", "items": {"$ref": "#/definitions/Tree"}})),
        );
        assert_eq!(shown(&types), ["Tree = { children?: [Tree] }"]);
        let whole = json!({"type": "array", "items": {"$ref": "#"}});
        assert_eq!(shown(&of(("Nest", whole), ("()", json!({})))), ["Nest = [Nest]"]);
    }

    #[test]
    fn text_of_a_peer_is_cut_and_escaped() {
        let mut deep = json!({"type": "string"});
        for _ in 0..60 {
            deep = json!({"type": "array", "items": deep});
        }
        let wide: serde_json::Map<String, Value> =
            (0..20_000).map(|n| (format!("m{n}"), json!({"type": "string"}))).collect();
        let hostile = json!({"type": "object", "properties": {
            "deep": deep,
            "a\u{1b}[2J\n": {"type": "x".repeat(100_000)},
            "e": {"enum": vec!["y"; 20_000]},
            "wide": {"type": "object", "properties": wide},
        }});
        let types = of((&format!("T\u{1b}\n{}", "t".repeat(1000)), hostile), ("()", json!({})));
        let [one] = &types.described[..] else { panic!("one type: {types:?}") };
        assert!(one.shape.len() < 400_000, "{}", one.shape.len());
        assert!(one.shape.lines().count() < 6_000 && one.shape.contains('…'));
        let unseen = |letter: char| rpc_runtime::is_unseen(letter) && letter != '\n';
        assert!(!one.shape.contains(unseen) && !one.name.contains(['\u{1b}', '\n']));
        assert!(one.name.chars().count() < 120);
    }
}
