//! What may stand in a message.

use serde::{Serialize, de::DeserializeOwned};

/// A type that can travel as an argument, a result or an error.
///
/// It is never implemented by hand: every owned, `Send` type with serde's two traits has it. Whether the encoding can carry
/// the type is another question, which `Server::start` and a client's first call answer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in an RPC message",
    label = "not serializable, not deserializable, or not owned",
    note = "arguments, results and errors need `#[derive(serde::Serialize, serde::Deserialize)]`, and have to be `Send` and own what they hold"
)]
pub trait Payload: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Payload for T {}
