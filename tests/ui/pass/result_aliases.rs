//! Whether a method can fail depends on its type, not on the name of the type.

use std::convert::Infallible;

use rpc_runtime::{Call, rpc_service};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Failure;

type Res<T> = Result<T, Failure>;
type Fixed = Res<u8>;
type Nested = Result<Result<u8, String>, Failure>;

mod own {
    /// A `Result` by name alone.
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Result<T, E>(pub T, pub E);
}

mod error {
    pub type Result<T, E = super::Failure> = std::result::Result<T, E>;
}

trait Outcome {
    type Type;
}

impl Outcome for u8 {
    type Type = Result<u8, Failure>;
}

#[rpc_service]
trait Results {
    async fn plain(&self) -> Result<u8, Failure>;
    async fn alias(&self) -> Res<u8>;
    async fn fixed(&self) -> Fixed;
    async fn nested(&self) -> Nested;
    async fn own(&self) -> own::Result<u8, u8>;
    async fn module(&self) -> error::Result<()>;
    async fn projected(&self) -> <u8 as Outcome>::Type;
    async fn infallible(&self) -> Result<u8, Infallible2>;
    async fn option(&self) -> Option<u8>;
    async fn unit(&self) -> ();
    async fn nothing(&self);
}

#[derive(Serialize, Deserialize)]
enum Infallible2 {}

fn calls(client: &ResultsClient) {
    let _: Call<u8, Failure> = client.plain();
    let _: Call<u8, Failure> = client.alias();
    let _: Call<u8, Failure> = client.fixed();
    let _: Call<Result<u8, String>, Failure> = client.nested();
    let _: Call<own::Result<u8, u8>, Infallible> = client.own();
    let _: Call<(), Failure> = client.module();
    let _: Call<u8, Failure> = client.projected();
    let _: Call<u8, Infallible2> = client.infallible();
    let _: Call<Option<u8>> = client.option();
    let _: Call<()> = client.unit();
    let _: Call<()> = client.nothing();
}

fn main() {
    let _ = calls;
}
