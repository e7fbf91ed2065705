//! The macro on tokens, without a compiler around it.

mod cost;
mod editor;
mod hostile;
mod large;
mod snapshots;
