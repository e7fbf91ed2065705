//! The picture of modules in ARCHITECTURE.md.

use std::{collections::BTreeSet, env, fs};

use crate::{
    crate_files::{Arrow, ROOT, workspace},
    order::{LEAVES, ORDER},
};

const BEGIN: &str =
    "<!-- modules: drawn by `RPC_DRAW=1 cargo test -p rpc-tests --test house` -->\n```text\n";
const END: &str = "```\n";

/// One line for each module with the modules that it names, in reverse order.
pub(crate) fn draw(arrows: &[Arrow]) -> String {
    let width = ORDER.iter().map(|module| module.len()).max().unwrap_or_default();
    let mut lines = String::new();
    for module in ORDER.iter().rev().filter(|module| **module != ROOT) {
        let of_this = arrows.iter().filter(|arrow| arrow.from == *module);
        let named: BTreeSet<&str> = of_this.map(|arrow| arrow.to.as_str()).collect();
        let named: Vec<&str> =
            ORDER.iter().rev().copied().filter(|to| named.contains(to)).collect();
        let line = format!("{module:width$} → {}", named.join(" "));
        lines.push_str(line.trim_end_matches([' ', '→']));
        lines.push('\n');
    }
    format!("{lines}\nall of them may use: {}\n", LEAVES.join(" "))
}

/// Fails unless ARCHITECTURE.md has this picture. With `RPC_DRAW` set, it writes the picture there.
pub(crate) fn compare(drawn: &str) {
    let file = workspace().join("ARCHITECTURE.md");
    let text = fs::read_to_string(&file).expect("ARCHITECTURE.md can be read");
    let (before, rest) =
        text.split_once(BEGIN).expect("ARCHITECTURE.md has a place for the picture");
    let (present, after) = rest.split_once(END).expect("the picture has an end");
    if present == drawn {
        return;
    }
    if env::var_os("RPC_DRAW").is_some() {
        fs::write(&file, [before, BEGIN, drawn, END, after].concat()).expect("it can be written");
        return;
    }
    panic!(
        "the picture of modules in ARCHITECTURE.md is not that of the code; draw it with \
         `RPC_DRAW=1 cargo test -p rpc-tests --test house`:\n{drawn}"
    );
}
