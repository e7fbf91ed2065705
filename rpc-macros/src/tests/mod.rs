//! The macro on tokens, without a compiler around it.

mod cost;
mod hostile;
mod random;
mod snapshots;
