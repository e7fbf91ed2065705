//! Why bincode cannot carry a type, in words.

use std::fmt::{self, Write as _};

/// The roles of the types of a method that are not arguments. Arguments have names.
pub(crate) const RESULT: &str = "the result";
pub(crate) const ERROR: &str = "the error";

/// One step on the path into a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The type itself: the name of an argument, or empty.
    Root(&'static str),
    Field(&'static str),
    Variant(&'static str),
    Number(usize),
    Element,
    Key,
    Value,
    Inside,
}

/// A type that bincode cannot carry: the place in the type, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    place: String,
    reason: String,
}

impl Misfit {
    pub(super) fn new(path: &[Step], reason: impl Into<String>) -> Self {
        Self { place: place(path), reason: reason.into() }
    }

    pub(super) fn shifted_variant(path: &[Step], name: &str, written: usize, read: usize) -> Self {
        let reason = format!(
            "the variant `{name}` is written as number {written}, and number {read} is what is read as it: \
             a variant before it is marked `#[serde(skip)]`; move that one to the end"
        );
        Self::new(path, reason)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// "the argument `order`, `items[].price`".
pub(super) fn place(path: &[Step]) -> String {
    let mut role = "the type".to_owned();
    let mut inside = String::new();
    for step in path {
        match step {
            Step::Root(name @ (RESULT | ERROR)) => (*name).clone_into(&mut role),
            Step::Root("") | Step::Inside => {}
            Step::Root(name) => role = format!("the argument `{name}`"),
            Step::Field(name) if inside.is_empty() => inside.push_str(name),
            Step::Field(name) => drop(write!(inside, ".{name}")),
            Step::Variant(name) if inside.is_empty() => inside.push_str(name),
            Step::Variant(name) => drop(write!(inside, "::{name}")),
            Step::Number(number) if inside.is_empty() => drop(write!(inside, "{number}")),
            Step::Number(number) => drop(write!(inside, ".{number}")),
            Step::Element => inside.push_str("[]"),
            Step::Key => inside.push_str(if inside.is_empty() { "keys[]" } else { ".keys[]" }),
            Step::Value => {
                inside.push_str(if inside.is_empty() { "values[]" } else { ".values[]" });
            }
        }
    }
    if inside.is_empty() { role } else { format!("{role}, `{inside}`") }
}
