//! Nothing: cargo wants a library beside the programs. The code of docs/lapin.md is compiled here, where lapin is.

#[cfg(doctest)]
#[doc = include_str!("../../docs/lapin.md")]
struct Lapin;
