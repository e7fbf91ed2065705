//! `name = "…", oneway, …`: the options in `#[rpc_service(…)]` and `#[rpc(…)]`.

mod entry;
pub(crate) mod method;
pub(crate) mod service;
mod value;

use proc_macro2::TokenStream;
use syn::Ident;

/// An option with its value and tokens.
pub(crate) struct Given<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
    /// The tokens of the value, for messages.
    pub(crate) at: TokenStream,
}

/// Where an option belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Service,
    Method,
}

impl Level {
    /// The options of this level, each with an example.
    const fn options(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Service => &[
                ("name", r#"name = "fibonacci""#),
                ("queue", r#"queue = "rpc_queue""#),
                ("version", "version = 2"),
                ("timeout", r#"timeout = "5s""#),
                ("encoding", r#"encoding = "json""#),
                ("crate", "crate = path::to::rpc_runtime"),
            ],
            Self::Method => &[
                ("name", r#"name = "fib""#),
                ("timeout", r#"timeout = "5s""#),
                ("oneway", "oneway"),
                ("blocking", "blocking"),
                ("idempotent", "idempotent"),
                ("at_most_once", "at_most_once"),
                ("cacheable", r#"cacheable = "30s""#),
                ("default", "default"),
            ],
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Service => Self::Method,
            Self::Method => Self::Service,
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Service => "trait",
            Self::Method => "method",
        }
    }

    const fn attribute(self) -> &'static str {
        match self {
            Self::Service => "rpc_service",
            Self::Method => "rpc",
        }
    }

    /// An example of the option `name`, if this level has it.
    fn example(self, name: &str) -> Option<&'static str> {
        self.options().iter().find(|(option, _)| *option == name).map(|(_, example)| *example)
    }
}
