//! The macro on tokens, without a compiler around it.

mod hostile;
mod random;
mod snapshots;
