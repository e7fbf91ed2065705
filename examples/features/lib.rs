//! Empty: cargo requires a library beside the examples. The code of docs/lapin.md is compiled here, where lapin is.

#[cfg(doctest)]
#[doc = include_str!("../../docs/lapin.md")]
struct Lapin;
