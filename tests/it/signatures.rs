//! The parts of a method that its signature covers, and the others.

use rpc_runtime::{Dispatch, rpc_service};
use serde::{Deserialize, Serialize};

/// A service with one method, and the method's signature.
macro_rules! written {
    ($name:ident, { $($more:item)* }, $($method:tt)*) => {
        mod $name {
            #[allow(unused_imports, reason = "not every way of writing needs them")]
            use super::*;

            $($more)*

            #[rpc_service]
            pub(crate) trait Service {
                #[allow(unused_variables, reason = "it is never called")]
                $($method)* {
                    unreachable!("only the descriptor is looked at")
                }
            }

            struct Never;

            impl Service for Never {}

            pub(crate) fn signature() -> &'static str {
                ServiceServer::new(Never).descriptor().methods[0].signature.as_str()
            }
        }
    };
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Point {
    x: u32,
    y: u32,
}

written!(base, {}, async fn f(&self, a: u32, b: Option<String>) -> Result<Point, String>);

written!(
    same_names_aside,
    {},
    /// Documented.
    async fn f(
        &self,
        first: u32,
        second: ::std::option::Option<::std::string::String>,
    ) -> ::core::result::Result<super::Point, String>
);

written!(
    same_by_alias,
    {
        pub(crate) type Text = String;
        pub(crate) type Outcome<T> = Result<T, Text>;
    },
    async fn f(&self, a: u32, b: Option<Text>) -> Outcome<Point>
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
    async fn f(&self, a: u32, b: Option<String>) -> Result<Place, String>
);

written!(another_type, {}, async fn f(&self, a: u64, b: Option<String>) -> Result<Point, String>);
written!(another_order, {}, async fn f(&self, b: Option<String>, a: u32) -> Result<Point, String>);
written!(
    one_more,
    {},
    async fn f(&self, a: u32, b: Option<String>, c: u8) -> Result<Point, String>
);
written!(not_fallible, {}, async fn f(&self, a: u32, b: Option<String>) -> Point);
written!(another_error, {}, async fn f(&self, a: u32, b: Option<String>) -> Result<Point, u8>);
written!(not_optional, {}, async fn f(&self, a: u32, b: String) -> Result<Point, String>);
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
    async fn f(&self, a: u32, b: Option<String>) -> Result<Point, String>
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
    async fn f(&self, a: u32, b: Option<String>) -> Result<Point, String>
);

#[test]
fn formatting_and_names_keep_the_signature() {
    let base = base::signature();
    assert_eq!(base.len(), 16);
    for same in
        [same_names_aside::signature(), same_by_alias::signature(), same_renamed::signature()]
    {
        assert_eq!(same, base);
    }
    // The fixed value shows a change of the algorithm, which would refuse every older caller.
    assert_eq!(base, "4fd103874898f340");
}

#[test]
fn types_and_order_change_the_signature() {
    let all = [
        base::signature(),
        another_type::signature(),
        another_order::signature(),
        one_more::signature(),
        not_fallible::signature(),
        another_error::signature(),
        not_optional::signature(),
        another_field::signature(),
        fields_changed_places::signature(),
    ];
    let mut different = all.to_vec();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), all.len(), "{all:?}");
}
