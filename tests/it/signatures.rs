//! What a signature sees of a method, and what it does not.

use rpc_runtime::{Dispatch, ServiceDescriptor, rpc_service};
use serde::{Deserialize, Serialize};

/// One service, written in different ways.
macro_rules! written {
    ($name:ident, { $($more:item)* }, $($method:tt)*) => {
        mod $name {
            #[allow(unused_imports, reason = "not every way of writing needs them")]
            use super::*;

            $($more)*

            #[rpc_service]
            pub(crate) trait Service {
                $($method)*
            }
        }
    };
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Point {
    x: u32,
    y: u32,
}

written!(base, {}, async fn f(&self, a: u32, b: Option<String>) -> Result<Point, String>;);

written!(
    same_names_aside,
    {},
    /// Documented.
    async fn f(
        &self,
        first: u32,
        second: ::std::option::Option<::std::string::String>,
    ) -> ::core::result::Result<super::Point, String>;
);

written!(
    same_by_alias,
    {
        pub(crate) type Text = String;
        pub(crate) type Outcome<T> = Result<T, Text>;
    },
    async fn f(&self, a: u32, b: Option<Text>) -> Outcome<Point>;
);

written!(
    same_renamed,
    {
        #[derive(Serialize, Deserialize)]
        pub(crate) struct Place {
            x: u32,
            y: u32,
        }
    },
    async fn f(&self, a: u32, b: Option<String>) -> Result<Place, String>;
);

written!(another_type, {}, async fn f(&self, a: u64, b: Option<String>) -> Result<Point, String>;);
written!(another_order, {}, async fn f(&self, b: Option<String>, a: u32) -> Result<Point, String>;);
written!(
    one_more,
    {},
    async fn f(&self, a: u32, b: Option<String>, c: u8) -> Result<Point, String>;
);
written!(not_fallible, {}, async fn f(&self, a: u32, b: Option<String>) -> Point;);
written!(another_error, {}, async fn f(&self, a: u32, b: Option<String>) -> Result<Point, u8>;);
written!(not_optional, {}, async fn f(&self, a: u32, b: String) -> Result<Point, String>;);
written!(
    another_field,
    {
        #[derive(Serialize, Deserialize)]
        pub(crate) struct Point {
            x: u32,
            y: u32,
            z: u32,
        }
    },
    async fn f(&self, a: u32, b: Option<String>) -> Result<Point, String>;
);
written!(
    fields_changed_places,
    {
        #[derive(Serialize, Deserialize)]
        pub(crate) struct Point {
            y: u32,
            x: u32,
        }
    },
    async fn f(&self, a: u32, b: Option<String>) -> Result<Point, String>;
);

/// Implements each of them, to get at its descriptor.
struct Never;

macro_rules! signature {
    ($name:ident, fn f($($argument:ty),*) -> $out:ty) => {{
        impl $name::Service for Never {
            async fn f(&self, $(_: $argument),*) -> $out {
                unreachable!("only the descriptor is looked at")
            }
        }
        of($name::ServiceServer::new(Never).descriptor())
    }};
}

fn of(service: &'static ServiceDescriptor) -> &'static str {
    service.methods[0].signature.as_str()
}

#[test]
fn names_formatting_documentation_aliases_and_paths_change_nothing() {
    let base = signature!(base, fn f(u32, Option<String>) -> Result<Point, String>);
    assert_eq!(base.len(), 16);
    for same in [
        signature!(same_names_aside, fn f(u32, Option<String>) -> Result<Point, String>),
        signature!(same_by_alias, fn f(u32, Option<String>) -> Result<Point, String>),
        signature!(same_renamed, fn f(u32, Option<String>) -> Result<same_renamed::Place, String>),
    ] {
        assert_eq!(same, base);
    }
    // The number itself, so that a change of the walk shows: it would refuse every older caller.
    assert_eq!(base, "b2cfb9aa594fbadb");
}

#[test]
fn types_their_order_and_what_structs_hold_change_it() {
    let all = [
        of(base::ServiceServer::new(Never).descriptor()),
        signature!(another_type, fn f(u64, Option<String>) -> Result<Point, String>),
        signature!(another_order, fn f(Option<String>, u32) -> Result<Point, String>),
        signature!(one_more, fn f(u32, Option<String>, u8) -> Result<Point, String>),
        signature!(not_fallible, fn f(u32, Option<String>) -> Point),
        signature!(another_error, fn f(u32, Option<String>) -> Result<Point, u8>),
        signature!(not_optional, fn f(u32, String) -> Result<Point, String>),
        signature!(another_field, fn f(u32, Option<String>) -> Result<another_field::Point, String>),
        signature!(fields_changed_places, fn f(u32, Option<String>) -> Result<fields_changed_places::Point, String>),
    ];
    let mut different = all.to_vec();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), all.len(), "{all:?}");
}
