//! Programs that rustc refuses. Each faulty line is marked with the main part of the expected error: `//~ text`.
//!
//! Whole messages are not compared, because they change with the compiler. But their number is: an error without a mark
//! is a failure.

use crate::rustc::{Compiled, Message, Program};

/// Checks every program.
pub(crate) fn check(programs: &[(Program, Compiled)]) {
    let wrong = programs.iter().filter_map(|(program, compiled)| complaint(program, compiled));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// An expected error: its line, and a part of its text.
#[derive(Debug)]
struct Mark {
    line: usize,
    text: String,
}

fn marks(source: &str) -> Vec<Mark> {
    let marks = |(index, line): (usize, &str)| -> Vec<Mark> {
        let texts = line.split("//~ ").skip(1);
        texts.map(|text| Mark { line: index + 1, text: text.trim().to_owned() }).collect()
    };
    source.lines().enumerate().flat_map(marks).collect()
}

/// Describes missing and unexpected errors; `None` if there are none.
fn complaint(program: &Program, compiled: &Compiled) -> Option<String> {
    let file = program.path.file_name()?.to_string_lossy();
    let expected = marks(&program.source());
    let is_its_error = |message: &&Message| message.is_error && message.file.ends_with(&*file);
    let mut errors: Vec<&Message> = compiled.messages.iter().filter(is_its_error).collect();
    // rustc may report the same error twice, with different remedies.
    errors.dedup_by_key(|error| (error.line, error.column, error.sentence.as_str()));
    let mut missing = Vec::new();
    for mark in &expected {
        let fits = |error: &&Message| {
            error.line == mark.line as u64 && error.sentence.contains(&mark.text)
        };
        match errors.iter().position(fits) {
            Some(found) => drop(errors.remove(found)),
            None => missing.push(mark),
        }
    }
    if missing.is_empty() && errors.is_empty() && !expected.is_empty() {
        return None;
    }
    let texts = compiled.texts();
    Some(format!("{file}: missing {missing:#?}, unexpected {errors:#?}, of\n{texts}"))
}
