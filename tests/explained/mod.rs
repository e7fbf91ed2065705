//! Programs whose faults the macro explains: all that it says of `<name>.rs` is in `<name>.stderr`.

use std::{env, fmt::Write as _, fs};

use crate::rustc::{Compiled, Program};

/// Compares what was said with the files, or writes them, with `RPC_OVERWRITE=1` in the environment.
pub(crate) fn check(programs: &[(Program, Compiled)]) {
    let overwrite = env::var_os("RPC_OVERWRITE").is_some();
    let mut wrong = String::new();
    for (Program { name, path }, compiled) in programs {
        let file = path.with_extension("stderr");
        let said = said(compiled);
        assert!(compiled.messages.iter().any(|message| message.is_error), "{name} is accepted");
        if overwrite {
            fs::write(&file, &said).expect("the text can be written");
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if said != expected {
            let written = write!(wrong, "{name}: expected\n{expected}\nbut it says\n{said}\n");
            written.expect("a String takes everything");
        }
    }
    assert!(wrong.is_empty(), "{wrong}(RPC_OVERWRITE=1 takes these texts)");
}

/// The paths in it begin in the folder of this package.
fn said(compiled: &Compiled) -> String {
    let here = fs::canonicalize(env!("CARGO_MANIFEST_DIR")).expect("this package has a folder");
    let here = format!("{}/", here.display());
    format!("{}\n", compiled.texts().replace(&here, "").trim_end())
}
