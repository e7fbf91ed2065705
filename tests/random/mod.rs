//! Unusual but legal services, the same ones in every run.

use std::fmt::Write as _;

use rpc_tests::Random;

/// A program with so many services, each implemented and called.
pub(crate) fn services(count: usize) -> String {
    let mut random = Random::new(7);
    let mut source = String::from(HEAD);
    for index in 0..count {
        service(index, &mut random, &mut source).expect("a String takes everything");
    }
    source
}

const HEAD: &str = "\
#![deny(warnings)]
#![allow(dead_code, reason = \"compiled, never run\")]

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Own<T = u8>(T);

pub type Res<T> = Result<T, Own>;

fn main() {}
";

/// Names of arguments and methods, including names that generated code uses.
const NAMES: &[&str] = &[
    "call",
    "send",
    "clone",
    "client",
    "service",
    "a0",
    "inner",
    "r#type",
    "r#match",
    "self_",
    "method",
    "descriptor",
    "handlers",
    "into_future",
    "drop",
    "timeout",
    "x",
    "value",
    "fmt",
    "from",
];
const TYPES: &[&str] =
    &["u8", "String", "bool", "char", "f64", "()", "Own", "i128", "std::time::Duration"];

fn service(index: usize, random: &mut Random, source: &mut String) -> std::fmt::Result {
    let methods: Vec<Method> =
        (0..=random.below(5)).map(|position| Method::random(position, random)).collect();
    let options = random.pick(&[
        "",
        "(version = 3)",
        "(timeout = \"1m30s\", name = \"other\")",
        "(encoding = \"json\")",
    ]);
    let vis = random.pick(&["", "pub ", "pub(crate) "]);
    writeln!(
        source,
        "\nmod service_{index} {{\n#[allow(unused_imports, reason = \"not every service needs it\")]\nuse super::{{Own, Res}};\n"
    )?;
    writeln!(source, "#[rpc_runtime::rpc_service{options}]\n{vis}trait Service {{")?;
    for method in &methods {
        writeln!(source, "{}{};", method.options, method.signature())?;
    }
    writeln!(source, "}}\n\nstruct Worker;\n\nimpl Service for Worker {{")?;
    for method in &methods {
        let unused = format!(
            "let _ = ({});",
            method
                .arguments
                .iter()
                .map(|(name, _)| format!("{name},"))
                .collect::<Vec<_>>()
                .concat()
        );
        writeln!(source, "{} {{ {unused} loop {{}} }}", method.signature())?;
    }
    writeln!(
        source,
        "}}\n\nfn serve() {{ let _ = ServiceServer::new(std::sync::Arc::new(Worker)); }}\n}}"
    )
}

struct Method {
    options: &'static str,
    name: String,
    blocking: bool,
    arguments: Vec<(String, String)>,
    returns: Option<String>,
}

impl Method {
    fn random(position: usize, random: &mut Random) -> Self {
        let name = if position == 0 {
            random.pick(NAMES).to_owned()
        } else {
            format!("method_{position}")
        };
        let options = random.pick(&[
            "",
            "/// Documented.\n",
            "#[rpc(blocking)]\n",
            "#[rpc(blocking, idempotent)]\n",
            "#[rpc(oneway)]\n",
            "#[rpc(at_most_once, timeout = \"250ms\")]\n",
        ]);
        let first = random.below(NAMES.len());
        let arguments = (0..random.below(4))
            .map(|offset| (NAMES[(first + offset) % NAMES.len()].to_owned(), ty(random, 2)));
        let arguments = arguments.collect();
        let returns = match random.below(4) {
            _ if options.contains("oneway") => None,
            0 => None,
            1 => Some(format!("Result<{}, {}>", ty(random, 1), ty(random, 1))),
            2 => Some(format!("Res<{}>", ty(random, 1))),
            _ => Some(ty(random, 2)),
        };
        Self { options, name, blocking: options.contains("blocking"), arguments, returns }
    }

    fn signature(&self) -> String {
        let asyncness = if self.blocking { "" } else { "async " };
        let arguments: Vec<String> =
            self.arguments.iter().map(|(name, ty)| format!(", {name}: {ty}")).collect();
        let arguments = arguments.concat();
        let returns = self.returns.as_ref().map(|ty| format!(" -> {ty}")).unwrap_or_default();
        format!("{asyncness}fn {}(&self{arguments}){returns}", self.name)
    }
}

fn ty(random: &mut Random, depth: usize) -> String {
    if depth == 0 || random.below(2) == 0 {
        return random.pick(TYPES).to_owned();
    }
    let inner = ty(random, depth - 1);
    match random.below(7) {
        0 => format!("Vec<{inner}>"),
        1 => format!("Option<{inner}>"),
        2 => format!("Box<{inner}>"),
        3 => format!("({inner}, {})", ty(random, depth - 1)),
        4 => format!("[{inner}; 3]"),
        5 => format!("std::collections::HashMap<String, {inner}>"),
        _ => format!("Own<{inner}>"),
    }
}
