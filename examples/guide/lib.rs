//! The Rust code of the guide: each page is the documentation of an item here when doctests are collected, so that it is
//! compiled and, where it says nothing else, run.

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
