//! How errors are printed, and types that hide some of their fields. The rule for all errors: `Display` is one sentence without the text of the causes that
//! `source()` leads to, and `Debug` is that sentence with the causes. So no cause is printed twice: neither by `Debug`,
//! which a program prints if `main` returns the error, nor by code that prints the error and then each `source()`.

use std::{error::Error, fmt};

use crate::escape::Escaped;

/// The most characters of a cause that are shown. A cause may quote a reply of many megabytes. A server's fault has a
/// kilobyte at most, so it is never cut.
const LONGEST: usize = 2_048;

/// Writes a sentence and its causes, in one line.
pub(crate) fn with_causes(
    f: &mut fmt::Formatter<'_>,
    sentence: impl fmt::Display,
    mut cause: Option<&(dyn Error + 'static)>,
) -> fmt::Result {
    let mut shown = sentence.to_string();
    f.write_str(&shown)?;
    while let Some(error) = cause {
        // It may quote a peer.
        let text = Escaped::new(error).at_most(LONGEST).to_string();
        // Some errors of other crates quote their own cause.
        if !shown.contains(&text) {
            write!(f, ": caused by {text}")?;
            shown.push_str(&text);
        }
        cause = error.source();
    }
    Ok(())
}

/// Implements `Debug` by the rule above.
macro_rules! debug_as_sentence {
    ($($error:ty),* $(,)?) => {
        $(
            impl std::fmt::Debug for $error {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    $crate::causes::with_causes(f, self, std::error::Error::source(self))
                }
            }
        )*
    };
}

/// `Debug` of a type that shows these parts of it and leaves the others out.
macro_rules! opaque_debug {
    ($name:ident $(<$($parameter:ident),+>)? $(, |$it:ident| $($part:ident: $value:expr),+)?) => {
        impl $(<$($parameter),+>)? std::fmt::Debug for $name $(<$($parameter),+>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $(let $it = self;)?
                f.debug_struct(stringify!($name))
                    $($(.field(stringify!($part), &$value))+)?
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use {debug_as_sentence, opaque_debug};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CallError,
        codec::{DecodeError, Encoding},
    };

    #[test]
    fn a_cause_that_quotes_megabytes_is_cut() {
        let reply = format!("\"{}\"", "x".repeat(4_000_000));
        let cause = serde_json::from_str::<u32>(&reply).unwrap_err();
        let error: CallError = CallError::Decode(DecodeError::new(Encoding::Json, cause));
        let shown = format!("{error:?}");
        assert!(shown.contains("xxx…") && shown.len() < 2 * LONGEST, "{}", shown.len());
    }
}
