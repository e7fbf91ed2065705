//! Arguments and results of every kind of type.

#![allow(unused_parens, unused_braces)]

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use rpc_runtime::{Dispatch, rpc_service};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Page<T, const N: usize = 1> {
    items: Vec<T>,
    next: Option<Box<Page<T, N>>>,
}

const WIDTH: usize = 3;

#[rpc_service]
trait Shapes {
    async fn boxed(&self, value: Box<String>) -> Box<str>;
    async fn tuples(&self, value: (u8, (String, bool)), one: (u8,)) -> ();
    async fn arrays(&self, value: [[u8; 4]; WIDTH], computed: [u8; { 1 + 1 }]) -> [u8; WIDTH];
    async fn maps(&self, value: HashMap<String, Vec<u8>>) -> BTreeMap<u8, (u8, Option<String>)>;
    async fn generic(&self, value: Page<Page<u8>, 2>) -> Page<Duration>;
    async fn optional(&self, value: Option<Vec<Option<u64>>>) -> Option<Result<u8, String>>;
    async fn owned(&self, value: Cow<'static, str>) -> Cow<'static, [u8]>;
    async fn parenthesised(&self, value: (u8)) -> (u8);
    async fn associated(&self, value: <Vec<u8> as IntoIterator>::Item) -> u8;
    async fn phantom(&self, value: std::marker::PhantomData<fn() -> u8>);
}

struct Service;

impl Shapes for Service {
    async fn boxed(&self, value: Box<String>) -> Box<str> {
        value.into_boxed_str()
    }

    async fn tuples(&self, _: (u8, (String, bool)), _: (u8,)) {}

    async fn arrays(&self, _: [[u8; 4]; WIDTH], _: [u8; 2]) -> [u8; WIDTH] {
        [0; WIDTH]
    }

    async fn maps(&self, _: HashMap<String, Vec<u8>>) -> BTreeMap<u8, (u8, Option<String>)> {
        BTreeMap::new()
    }

    async fn generic(&self, _: Page<Page<u8>, 2>) -> Page<Duration> {
        Page { items: Vec::new(), next: None }
    }

    async fn optional(&self, _: Option<Vec<Option<u64>>>) -> Option<Result<u8, String>> {
        None
    }

    async fn owned(&self, _: Cow<'static, str>) -> Cow<'static, [u8]> {
        Cow::Borrowed(&[])
    }

    async fn parenthesised(&self, value: u8) -> u8 {
        value
    }

    async fn associated(&self, value: u8) -> u8 {
        value
    }

    async fn phantom(&self, _: std::marker::PhantomData<fn() -> u8>) {}
}

fn main() {
    let server = ShapesServer::new(Service);
    let returns: Vec<&str> = server.descriptor().methods.iter().map(|method| method.returns).collect();
    assert_eq!(returns[1], "()");
    assert_eq!(returns[3], "BTreeMap<u8, (u8, Option<String>)>");
    assert_eq!(server.descriptor().methods[1].arguments[1].ty, "(u8,)");
}
