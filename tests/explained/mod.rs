//! Programs whose faults the macro explains. `<name>.stderr` has all messages for `<name>.rs`.

use std::{env, fmt::Write as _, fs};

use crate::rustc::{Compiled, Program};

/// Compares the messages with the files. With `RPC_OVERWRITE=1` in the environment, writes the files instead.
pub(crate) fn check(programs: &[(Program, Compiled)]) {
    let overwrite = env::var_os("RPC_OVERWRITE").is_some();
    let mut wrong = String::new();
    for (Program { name, path }, compiled) in programs {
        let file = path.with_extension("stderr");
        let messages = messages(compiled);
        assert!(compiled.messages.iter().any(|message| message.is_error), "{name} is accepted");
        if overwrite {
            fs::write(&file, &messages).expect("the text can be written");
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if messages != expected {
            let written = write!(wrong, "{name}: expected\n{expected}\nbut got\n{messages}\n");
            written.expect("a String takes everything");
        }
    }
    assert!(wrong.is_empty(), "{wrong}(RPC_OVERWRITE=1 takes these texts)");
}

/// The messages, with paths relative to the folder of this package.
fn messages(compiled: &Compiled) -> String {
    let here = fs::canonicalize(env!("CARGO_MANIFEST_DIR")).expect("this package has a folder");
    let here = format!("{}/", here.display());
    format!("{}\n", compiled.texts().replace(&here, "").trim_end())
}
