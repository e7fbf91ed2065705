//! How errors are printed, and types that do not show all of their parts.
//!
//! The rule for all errors of this crate: `Display` is a whole sentence that contains the text of none of the causes that
//! `source()` leads to, and `Debug` is that sentence with those causes. So neither `Debug`, which a program prints that ends with
//! `?` in `main`, nor what prints the sentence and then each `source()`, shows a cause twice.

use std::{error::Error, fmt};

use crate::escape::Escaped;

/// The most characters that are shown of a cause: it may quote a reply of many megabytes. The fault of a server, which has a
/// kilobyte at most, is whole.
const LONGEST: usize = 2_048;

/// A sentence with its causes, in one line.
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

/// `Debug` by the rule above.
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
