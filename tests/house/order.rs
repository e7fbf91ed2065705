//! The rule: a module names only modules before it in the order.

use std::collections::BTreeSet;

use crate::crate_files::Arrow;

pub(crate) const RULE: &str = "The modules of rpc-runtime have an order (`ORDER` in tests/house/order.rs), and each may name those before it \
     alone: so no circle of modules can arise, nor of files across modules. Move what is shared into an earlier module, hand \
     it in as an argument, or leave the work to a later module; ARCHITECTURE.md says what each is for.";

/// Small modules without knowledge of calls. Any other module may name them.
pub(crate) const LEAVES: &[&str] =
    &["limits", "cut", "escape", "causes", "failpoint", "lock", "tasks", "clock", "throttle"];

/// The other modules. Each may name those before it.
pub(crate) const ORDER: &[&str] = &[
    "fault",
    "codec",
    "error",
    "reply",
    "contract",
    "message",
    "wire",
    "observe",
    "transport",
    "connection",
    "context",
    "middleware",
    "discovery",
    "client",
    "server",
    "testing",
    "broker",
    "private",
    "fuzz",
    "bench",
    "lib",
];

/// Allowed backward arrows: the file, the module that it names, and the reason. The list may only become shorter.
pub(crate) const EXCEPTIONS: &[(&str, &str, &str)] = &[];

fn place(module: &str) -> Option<usize> {
    LEAVES.iter().chain(ORDER).position(|known| *known == module)
}

fn goes_back(arrow: &Arrow) -> bool {
    place(&arrow.to) >= place(&arrow.from)
}

fn is_excepted(arrow: &Arrow) -> bool {
    EXCEPTIONS.iter().any(|(file, to, _)| arrow.file == *file && arrow.to == *to)
}

/// Modules that are missing in the order.
pub(crate) fn without_a_place(arrows: &[Arrow]) -> Vec<String> {
    let modules: BTreeSet<&String> =
        arrows.iter().flat_map(|arrow| [&arrow.from, &arrow.to]).collect();
    let unknown = modules.into_iter().filter(|module| place(module).is_none());
    unknown
        .map(|module| format!("the module `{module}` has no place in tests/house/order.rs"))
        .collect()
}

/// Backward arrows that are not allowed.
pub(crate) fn broken(arrows: &[Arrow]) -> Vec<String> {
    let back = arrows.iter().filter(|arrow| goes_back(arrow) && !is_excepted(arrow));
    back.map(|Arrow { from, to, file, line, path }| {
        format!("rpc-runtime/src/{file}:{line}: `{from}` names `{to}`, which comes later: {path}")
    })
    .collect()
}

/// Exceptions without an arrow.
pub(crate) fn needless(arrows: &[Arrow]) -> Vec<String> {
    let needed = |file: &str, to: &str| {
        arrows.iter().any(|arrow| goes_back(arrow) && arrow.file == file && arrow.to == to)
    };
    let needless = EXCEPTIONS.iter().filter(|(file, to, _)| !needed(file, to));
    needless
        .map(|(file, to, _)| {
            format!("{file} does not name `{to}` any more: take the exception out of tests/house/order.rs")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrow(from: &str, to: &str) -> Arrow {
        let [file, path] = [format!("{from}/x.rs"), format!("{to}::Y")];
        Arrow { from: from.to_owned(), to: to.to_owned(), file, line: 7, path }
    }

    #[test]
    fn a_later_module_may_name_an_earlier_one() {
        let fine = [arrow("client", "error"), arrow("error", "limits"), arrow("lib", "private")];
        assert_eq!(broken(&fine), Vec::<String>::new());
    }

    #[test]
    fn a_backward_arrow_is_shown_with_its_line() {
        assert_eq!(
            broken(&[arrow("error", "client")]),
            ["rpc-runtime/src/error/x.rs:7: `error` names `client`, which comes later: client::Y"]
        );
    }

    #[test]
    fn a_module_without_a_place_is_shown() {
        assert_eq!(without_a_place(&[arrow("client", "cupboard")]).len(), 1);
    }
}
