//! The JSON Schema of a Rust type, derived from its name.

use std::borrow::Cow;

use serde_json::{Value, json};

/// Deepest nesting of types that is followed.
const DEEPEST: usize = 32;

/// The JSON Schema that a server sent for a type; without one, the schema derived from its name. A recursive schema refers
/// to its own definitions and cannot be part of another document, so it is not used.
pub(super) fn sent_or_derived(sent: Option<&Value>, ty: &str) -> Value {
    sent.filter(|schema| !refers(schema)).cloned().unwrap_or_else(|| schema(ty))
}

fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.contains_key("$ref") || members.values().any(refers),
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// The JSON Schema derived from the name of a type. An unknown type has only its name as title.
pub(super) fn schema(ty: &str) -> Value {
    schema_within(ty, DEEPEST)
}

/// The same down to so many levels: the name comes from a peer.
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

/// The named types in a type, each with its schema: `Order` in `Vec<Option<Order>>`.
pub(super) fn named_parts<'a>(
    ty: &'a str,
    schema: Option<&Value>,
) -> Vec<(&'a str, Option<Value>)> {
    let mut parts = Vec::new();
    gather_parts(ty, schema, DEEPEST, &mut parts);
    parts
}

fn gather_parts<'a>(
    ty: &'a str,
    schema: Option<&Value>,
    levels: usize,
    parts: &mut Vec<(&'a str, Option<Value>)>,
) {
    let ty = ty.trim();
    let Some(levels) = levels.checked_sub(1) else { return };
    let inside = |key: &str| schema.and_then(|schema| schema.get(key));
    if let Some(members) = ty.strip_prefix('(').and_then(|ty| ty.strip_suffix(')')) {
        let items = inside("items");
        for (index, member) in split_at_commas(members).into_iter().enumerate() {
            gather_parts(member, items.and_then(|all| all.get(index)), levels, parts);
        }
        return;
    }
    if let Some(array) = ty.strip_prefix('[').and_then(|ty| ty.strip_suffix(']')) {
        let item = array.rsplit_once(';').map_or(array, |(item, _)| item);
        return gather_parts(item, inside("items"), levels, parts);
    }
    let (path, arguments) = split(ty);
    match (path.rsplit("::").next().unwrap_or(path), &arguments[..]) {
        ("Option", [inner]) => {
            gather_parts(inner, schema.map(not_null).as_deref(), levels, parts);
        }
        ("Box" | "Arc" | "Rc", [inner]) => gather_parts(inner, schema, levels, parts),
        ("Vec" | "VecDeque" | "HashSet" | "BTreeSet", [item]) => {
            gather_parts(item, inside("items"), levels, parts);
        }
        ("HashMap" | "BTreeMap", [_, value]) => {
            gather_parts(value, inside("additionalProperties"), levels, parts);
        }
        _ if self::schema(ty).get("type").is_some() => {}
        _ => parts.push((ty, schema.cloned())),
    }
}

/// The schema of the value in an `Option`.
fn not_null(schema: &Value) -> Cow<'_, Value> {
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(alternatives)) = schema.get(key) else { continue };
        let is_null = |one: &&Value| one.get("type").is_some_and(|ty| ty == "null");
        let mut others = alternatives.iter().filter(|one| !is_null(one));
        if let (Some(other), None) = (others.next(), others.next()) {
            return Cow::Borrowed(other);
        }
    }
    let mut schema = Cow::Borrowed(schema);
    if schema.get("type").is_some_and(Value::is_array)
        && let Some(Value::Array(types)) = schema.to_mut().get_mut("type")
    {
        types.retain(|ty| ty != "null");
    }
    schema
}

/// Whether this type is a string in JSON. The schema decides; without one, the name.
pub(crate) fn is_string(ty: &str, schema: Option<&Value>) -> bool {
    /// Types of other crates that serialize as strings.
    const STRINGS: [&str; 16] = [
        "Uuid",
        "Ulid",
        "Url",
        "SmolStr",
        "CompactString",
        "IpAddr",
        "Ipv4Addr",
        "Ipv6Addr",
        "SocketAddr",
        "NaiveDate",
        "NaiveTime",
        "NaiveDateTime",
        "DateTime",
        "OffsetDateTime",
        "Timestamp",
        "Cow",
    ];
    if let Some(schema) = schema {
        return says_string(schema, DEEPEST);
    }
    let mut ty = ty.trim();
    // The name comes from a peer, so the depth is bounded.
    for _ in 0..DEEPEST {
        match split(ty) {
            (path, arguments) if ["Option", "Box", "Arc", "Rc"].contains(&last(path)) => {
                let [inner] = arguments[..] else { return false };
                ty = inner;
            }
            _ => break,
        }
    }
    let (path, arguments) = split(ty);
    match (last(path), &arguments[..]) {
        ("str", []) => true,
        ("Cow", arguments) => arguments.last().is_some_and(|last| *last == "str"),
        (name, _) => STRINGS.contains(&name) || says_string(&self::schema(ty), DEEPEST),
    }
}

/// The last name of a path.
fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn says_string(schema: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return false };
    let is_null = |one: &Value| one.get("type").is_some_and(|ty| ty == "null");
    let alternatives = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array());
    if let Some(alternatives) = alternatives {
        let mut others = alternatives.iter().filter(|one| !is_null(one)).peekable();
        return others.peek().is_some() && others.all(|one| says_string(one, levels));
    }
    match schema.get("type") {
        Some(Value::Array(types)) => {
            let mut others = types.iter().filter(|ty| *ty != "null").peekable();
            others.peek().is_some() && others.all(|ty| ty == "string")
        }
        ty => ty.is_some_and(|ty| ty == "string"),
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

/// Splits `Vec<T>` into `Vec` and `T`. A name without arguments stays whole.
fn split(ty: &str) -> (&str, Vec<&str>) {
    let inside = ty.find('<').and_then(|open| {
        Some((ty.get(..open)?.trim(), ty.get(open + 1..)?.trim_end().strip_suffix('>')?))
    });
    let Some((path, inside)) = inside else { return (ty, Vec::new()) };
    (path, split_at_commas(inside))
}

/// Splits at commas outside brackets.
fn split_at_commas(inside: &str) -> Vec<&str> {
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
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_derived_from_type_names() {
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
    fn a_sent_schema_is_preferred_unless_recursive() {
        let sent = json!({"type": "integer", "maximum": 255});
        assert_eq!(sent_or_derived(Some(&sent), "u8"), sent);
        assert_eq!(sent_or_derived(None, "bool"), json!({"type": "boolean"}));
        let tree = json!({"type": "array", "items": {"$ref": "#/definitions/Tree"}});
        assert_eq!(sent_or_derived(Some(&tree), "Tree"), json!({"title": "Tree"}));
    }

    #[test]
    fn deeply_nested_types_are_cut() {
        let schema = schema(&"Vec<".repeat(100_000));
        assert!(schema.is_object());
        let deep = format!("{}u8{}", "Vec<".repeat(100_000), ">".repeat(100_000));
        assert!(super::schema(&deep).to_string().len() < 1_000_000);
    }

    #[test]
    fn strings_are_recognized_by_schema_and_name() {
        for ty in [
            "String",
            "Option<std::string::String>",
            "uuid::Uuid",
            "DateTime<Utc>",
            "Box<str>",
            "Cow<'static, str>",
        ] {
            assert!(is_string(ty, None), "{ty}");
        }
        for ty in ["u8", "Vec<String>", "OrderId", "()", "Cow<'static, [u8]>", "Option<u8>"] {
            assert!(!is_string(ty, None), "{ty}");
        }
        let string = json!({"type": "string", "format": "uuid"});
        let optional = json!({"anyOf": [string, {"type": "null"}]});
        for schema in [&string, &optional, &json!({"type": ["string", "null"]})] {
            assert!(is_string("OrderId", Some(schema)), "{schema}");
        }
        for schema in
            [json!({}), json!(true), json!({"type": ["string", "integer"]}), json!({"anyOf": []})]
        {
            assert!(!is_string("String", Some(&schema)), "{schema}");
        }
    }

    #[test]
    fn a_deep_name_is_read_in_one_pass() {
        let deep = format!("{}String{}", "Option<".repeat(20_000), ">".repeat(20_000));
        assert!(!is_string(&deep, None));
    }

    /// Copying the whole schema for each part would take minutes.
    #[test]
    fn a_wide_tuple_is_split_quickly() {
        let width = 100_000;
        let tuple = format!("({})", "A,".repeat(width));
        let schema = json!({"items": vec![0; width]});
        assert_eq!(named_parts(&tuple, Some(&schema)).len(), width);
    }

    #[test]
    fn a_result_is_split_in_value_and_error() {
        assert_eq!(result("Result<HashMap<u8, u8>, E>"), ("HashMap<u8, u8>", Some("E")));
        assert_eq!(result("io::Result<u8>"), ("u8", None));
        assert_eq!(result("u8"), ("u8", None));
    }
}
