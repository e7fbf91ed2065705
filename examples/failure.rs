//! What a program says when it fails: what happened, and why, in one line.

use std::{error::Error, fmt};

/// Any error, shown with its causes.
pub struct Failure(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// `main` shows the error that it returns by `Debug`. Of most errors that is meant for programmers.
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
