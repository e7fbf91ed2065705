//! What JSON a Rust type is written as, as far as its name tells.

use serde_json::{Value, json};

/// Deeper than any type that people read.
const DEEPEST: usize = 32;

/// The JSON Schema that a server tells of a type; else what its name tells. One that refers to parts of itself, because
/// its type holds itself, has to stand in a document of its own.
pub(super) fn told(schema_told: Option<&Value>, ty: &str) -> Value {
    schema_told.filter(|told| !refers(told)).cloned().unwrap_or_else(|| schema(ty))
}

fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.contains_key("$ref") || members.values().any(refers),
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// The JSON Schema of a type; of one that is not known by its name, its name alone.
pub(super) fn schema(ty: &str) -> Value {
    schema_within(ty, DEEPEST)
}

/// No deeper than so many levels: the name comes from a peer.
fn schema_within(ty: &str, levels: usize) -> Value {
    let ty = ty.trim();
    let Some(levels) = levels.checked_sub(1) else { return json!({"title": ty}) };
    let schema = |ty: &str| schema_within(ty, levels);
    let (path, arguments) = split(ty);
    let name = path.rsplit("::").next().unwrap_or(path);
    match (name, &arguments[..]) {
        ("()", _) => json!({"type": "null"}),
        ("bool", []) => json!({"type": "boolean"}),
        ("u8" | "u16" | "u32" | "u64" | "u128" | "usize", []) => {
            json!({"type": "integer", "minimum": 0})
        }
        ("i8" | "i16" | "i32" | "i64" | "i128" | "isize", []) => json!({"type": "integer"}),
        ("f32" | "f64", []) => json!({"type": "number"}),
        ("String" | "char" | "PathBuf", []) => json!({"type": "string"}),
        ("Option", [inner]) => json!({"oneOf": [{"type": "null"}, schema(inner)]}),
        ("Box" | "Arc" | "Rc", [inner]) => schema(inner),
        ("Vec" | "VecDeque" | "HashSet" | "BTreeSet", [inner]) => {
            json!({"type": "array", "items": schema(inner)})
        }
        ("HashMap" | "BTreeMap", [_, value]) => {
            json!({"type": "object", "additionalProperties": schema(value)})
        }
        _ => json!({"title": ty}),
    }
}

/// The value and the error of a result type.
pub(super) fn result(ty: &str) -> (&str, Option<&str>) {
    match split(ty.trim()) {
        (path, arguments) if path.rsplit("::").next() == Some("Result") => {
            (arguments.first().copied().unwrap_or("()"), arguments.get(1).copied())
        }
        _ => (ty, None),
    }
}

/// `Vec<T>` into `Vec` and `T`; what has no arguments, into itself.
fn split(ty: &str) -> (&str, Vec<&str>) {
    let inside = ty.find('<').and_then(|open| {
        Some((ty.get(..open)?.trim(), ty.get(open + 1..)?.trim_end().strip_suffix('>')?))
    });
    let Some((path, inside)) = inside else { return (ty, Vec::new()) };
    let (mut arguments, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (at, letter) in inside.char_indices() {
        match letter {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                arguments.extend(inside.get(start..at).map(str::trim));
                start = at + 1;
            }
            _ => {}
        }
    }
    arguments.extend(inside.get(start..).map(str::trim).filter(|last| !last.is_empty()));
    (path, arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_their_names() {
        for (ty, expected) in [
            ("u32", json!({"type": "integer", "minimum": 0})),
            ("std::string::String", json!({"type": "string"})),
            (
                "Vec<Option<bool>>",
                json!({"type": "array", "items": {"oneOf": [{"type": "null"}, {"type": "boolean"}]}}),
            ),
            (
                "HashMap<String, Vec<f64>>",
                json!({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "number"}}}),
            ),
            ("FibError", json!({"title": "FibError"})),
            ("Vec<", json!({"title": "Vec<"})),
            (">", json!({"title": ">"})),
        ] {
            assert_eq!(schema(ty), expected, "{ty}");
        }
    }

    #[test]
    fn what_a_server_tells_comes_first_unless_it_cannot_stand_alone() {
        let told_of = json!({"type": "integer", "maximum": 255});
        assert_eq!(told(Some(&told_of), "u8"), told_of);
        assert_eq!(told(None, "bool"), json!({"type": "boolean"}));
        let tree = json!({"type": "array", "items": {"$ref": "#/definitions/Tree"}});
        assert_eq!(told(Some(&tree), "Tree"), json!({"title": "Tree"}));
    }

    #[test]
    fn a_type_nested_without_end_is_known_as_far_as_people_read() {
        let schema = schema(&"Vec<".repeat(100_000));
        assert!(schema.is_object());
        let deep = format!("{}u8{}", "Vec<".repeat(100_000), ">".repeat(100_000));
        assert!(super::schema(&deep).to_string().len() < 1_000_000);
    }

    #[test]
    fn a_result_is_its_value_and_its_error() {
        assert_eq!(result("Result<HashMap<u8, u8>, E>"), ("HashMap<u8, u8>", Some("E")));
        assert_eq!(result("io::Result<u8>"), ("u8", None));
        assert_eq!(result("u8"), ("u8", None));
    }
}
