//! The Rust code of the guide. Each page becomes the documentation of an item here when doctests are collected, so that
//! its code is compiled and, unless marked otherwise, run.

#[cfg(doctest)]
macro_rules! pages {
    ($($name:ident: $path:literal,)*) => {
        $(
            #[doc = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/", $path))]
            pub struct $name;
        )*
    };
}

#[cfg(doctest)]
pages! {
    GettingStarted: "getting-started.md",
    Encodings: "encodings.md",
    Patterns: "patterns.md",
    ErrorsAndDeadlines: "errors-and-deadlines.md",
    Evolving: "evolving.md",
    Cluster: "cluster.md",
    OtherLanguages: "other-languages.md",
    ComingFrom: "coming-from.md",
}
