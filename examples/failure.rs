//! The error of a program, shown with its causes in one line.

use std::{error::Error, fmt};

/// Any error, shown with its causes.
pub struct Failure(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// `main` prints its error with `Debug`, which most errors write for programmers.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": caused by {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
