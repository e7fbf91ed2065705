//! A service in Markdown.

use std::{fmt::Write as _, time::Duration};

use rpc_runtime::discovery::{MethodInfo, ServiceInfo};

use super::named::{NamedType, NamedTypes};
use crate::{
    duration,
    show::{options, signature},
};

pub(crate) fn document(service: &ServiceInfo) -> String {
    let mut text = format!("# {}\n\n", service.name);
    if !service.doc.is_empty() {
        let _ = writeln!(text, "{}\n", service.doc);
    }
    let mut facts = vec![
        ("Queue", format!("`{}`", service.queue)),
        ("Encoding", format!("`{}`, unless the request says otherwise", service.encoding)),
    ];
    facts.extend(service.version.map(|version| ("Version", version.to_string())));
    facts.extend(
        (!service.exchange.is_empty()).then(|| ("Exchange", format!("`{}`", service.exchange))),
    );
    let timeout = service.timeout_ms.map(Duration::from_millis).map(duration::show);
    facts.extend(timeout.map(|timeout| ("Timeout", timeout)));
    text.push_str("| | |\n| --- | --- |\n");
    for (name, value) in facts {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text.push_str("\n## Methods\n");
    for method in &service.methods {
        write_method(&mut text, method);
    }
    let types = NamedTypes::of(service).described;
    if !types.is_empty() {
        text.push_str("\n## Types\n");
    }
    for NamedType { name, doc, shape } in types {
        // The fence is longer than any run of backticks inside.
        let longest = shape.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let name = name.replace('`', "");
        let _ = write!(text, "\n### `{name}`\n\n{fence}text\n{shape}\n{fence}\n");
        if !doc.is_empty() {
            let _ = write!(text, "\n{doc}\n");
        }
    }
    text
}

fn write_method(text: &mut String, method: &MethodInfo) {
    let _ = write!(text, "\n### `{}`\n\n```rust\n{}\n```\n", method.name, signature(method));
    if !method.doc.is_empty() {
        let _ = write!(text, "\n{}\n", method.doc);
    }
    let options = options(method);
    if !options.is_empty() {
        let _ = write!(text, "\n{}.\n", options.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn types_stand_below_the_methods() {
        let schema = json!({
            "description": "What is wanted.", "type": "object",
            "properties": {"```": {"type": "string"}},
        });
        let argument = json!({"name": "order", "type": "NewOrder", "schema": schema});
        let method = json!({"name": "place", "arguments": [argument]});
        let service = json!({"name": "Orders", "methods": [method]});
        let page = super::document(&serde_json::from_value(service).unwrap());
        let (_, types) = page.split_once("\n## Types\n").expect("there is a type");
        assert_eq!(
            types,
            "\n### `NewOrder`\n\n````text\n{ \"```\"?: string }\n````\n\nWhat is wanted.\n"
        );
    }

    #[test]
    fn a_service_reads_as_a_page() {
        assert_eq!(
            super::document(&crate::document::sample()),
            "\
# Fibonacci

Numbers of the sequence.

Two paragraphs.

| | |
| --- | --- |
| Queue | `Fibonacci.v2` |
| Encoding | `application/x-bincode`, unless the request says otherwise |
| Version | 2 |
| Timeout | 5 s |

## Methods

### `fib`

```rust
fib(n: u32, hint: Option<String>) -> Result<u64, FibError>
```

The `n`-th number.

idempotent.

### `reset`

```rust
reset()
```

oneway.
"
        );
    }
}
