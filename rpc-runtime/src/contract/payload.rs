//! The types that can be sent.

use serde::{Serialize, de::DeserializeOwned};

/// A type that can travel as an argument, a result or an error.
///
/// Do not implement it yourself: every owned, `Send` type with serde's two traits has it. `Server::start` and a
/// client's first call check whether the encoding can carry the type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in an RPC message",
    label = "not serializable, not deserializable, or not owned",
    note = "arguments, results and errors need `#[derive(serde::Serialize, serde::Deserialize)]`, and have to be `Send` and own what they hold"
)]
pub trait Payload: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Payload for T {}
