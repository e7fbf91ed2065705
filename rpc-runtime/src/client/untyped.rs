//! Calls without a trait: for tools and gateways, which get a method's name and its arguments from somewhere else.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use smol_str::SmolStr;

use super::{Call, Session, draft::Draft, handle::ClientShared};
use crate::{
    causes::opaque_debug,
    codec::{DecodeError, EncodeError, Encoding},
    contract::{MethodDescriptor, ServiceDescriptor, Signature},
    error::{CallError, TooLarge},
    limits,
    middleware::Next,
};

/// A call whose arguments are bytes, and whose result and error are, too.
pub type UntypedCall = Call<UntypedReply, UntypedReply>;

/// What a method answered: a result, or an error of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntypedReply {
    /// How it is written.
    pub encoding: Encoding,
    /// As it is written.
    pub body: Bytes,
}

impl fmt::Display for UntypedReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.encoding, std::str::from_utf8(&self.body)) {
            (Encoding::Json | Encoding::Text, Ok(text)) => f.write_str(text),
            _ => write!(f, "{} bytes of {}", self.body.len(), self.encoding),
        }
    }
}

/// Calls methods by name, with arguments that are encoded already.
///
/// It is for tools and gateways. A program that has the trait has a generated client, which knows what it sends.
///
/// ```
/// use rpc_runtime::{Broker, CallError, UntypedClient, rpc_service};
///
/// #[rpc_service]
/// trait Divider {
///     async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, String>;
/// }
///
/// struct Exact;
/// impl Divider for Exact {
///     async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, String> {
///         dividend.checked_div(divisor).ok_or_else(|| "division by zero".to_owned())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let broker = Broker::serving(DividerServer::new(Exact));
/// let client = UntypedClient::new(&broker, "Divider");
///
/// let reply = client.call("divide", r#"{"dividend": 7, "divisor": 2}"#).await?;
/// assert_eq!(reply.body, "3");
///
/// let refused = client.call("divide", "[7, 0]").await;
/// assert!(matches!(refused, Err(CallError::Application(error)) if error.body == "\"division by zero\""));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until one of its calls is awaited"]
pub struct UntypedClient {
    session: Arc<Session>,
    layers: Option<Next>,
    queue: SmolStr,
    encoding: Encoding,
    timeout: Option<Duration>,
}

impl UntypedClient {
    pub(crate) fn over(session: Arc<Session>, layers: Option<Next>, queue: SmolStr) -> Self {
        Self { session, layers, queue, encoding: Encoding::Json, timeout: None }
    }

    /// How bodies are written that are given to [`call`](Self::call). With bincode, nothing tells the server which
    /// signature they are meant for, and it takes them for that of its own.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// How long calls wait for their answer unless they say otherwise; by default 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// A call of the method of this name with these arguments: in JSON, an array in the order of the method's, or an
    /// object by name.
    ///
    /// A name that no method can have fails the call with [`CallError::Encode`].
    pub fn call(&self, method: &str, arguments: impl Into<Bytes>) -> UntypedCall {
        let body = check(method, arguments.into());
        let shared = ClientShared {
            session: self.session.clone(),
            service: &SERVICE,
            queue: self.queue.clone(),
            encoding: self.encoding,
            timeout: self.timeout,
            max_request: limits::MAX_MESSAGE,
            layers: self.layers.clone(),
            watch: None,
        };
        let draft = Draft::new(Arc::new(shared), &METHOD, body).named(method);
        Call::new(draft, take, |body, encoding| take(body, encoding).map(Some))
    }
}

opaque_debug!(UntypedClient, |it| queue: it.queue, encoding: it.encoding);

/// What nothing is known of.
static SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "",
    version: None,
    queue: "",
    encoding: Encoding::Json,
    timeout: None,
    doc: "",
    methods: &[],
};

static METHOD: MethodDescriptor = MethodDescriptor {
    name: "",
    doc: "",
    arguments: &[],
    returns: "",
    timeout: None,
    oneway: false,
    blocking: false,
    idempotent: false,
    at_most_once: false,
    default: false,
    cacheable: None,
    signature: Signature::new(Default::default),
    #[cfg(feature = "schemars")]
    schemas: crate::contract::MethodSchemas::new(&[], || None, || None),
};

fn check(method: &str, body: Bytes) -> Result<Bytes, CallError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !(1..=64).contains(&method.len()) || !method.bytes().all(legal) {
        let reason = "a method's name has 1 to 64 of the letters `A-Z`, `a-z`, `0-9`, `_` and `-`";
        return Err(CallError::Encode(EncodeError::because(reason)));
    }
    TooLarge::check(body.len(), limits::MAX_MESSAGE).map_err(CallError::TooLarge)?;
    Ok(body)
}

#[allow(clippy::unnecessary_wraps, reason = "it stands where others decode")]
fn take(body: &[u8], encoding: Encoding) -> Result<UntypedReply, DecodeError> {
    Ok(UntypedReply { encoding, body: Bytes::copy_from_slice(body) })
}
