//! What every generated client holds.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use smol_str::SmolStr;

use super::{Call, Session, draft::Draft, unordered, unserved::QueueWatch};
use crate::{
    causes::opaque_debug,
    codec::{self, EncodeError, Encoding},
    contract::{MethodDescriptor, Payload, ReturnType, ServiceDescriptor, Shape},
    error::{CallError, TooLarge},
    middleware::Next,
};

/// The untyped client inside each generated one.
#[derive(Clone)]
pub struct Client {
    pub(super) shared: Arc<ClientShared>,
}

pub(super) struct ClientShared {
    pub(super) session: Arc<Session>,
    pub(super) service: &'static ServiceDescriptor,
    pub(super) queue: SmolStr,
    pub(super) encoding: Encoding,
    pub(super) timeout: Option<Duration>,
    pub(super) max_request: usize,
    pub(super) layers: Option<Next>,
    /// Where calls fail that no server consumes the queue of.
    pub(super) watch: Option<Arc<QueueWatch>>,
}

impl Client {
    /// Encodes the arguments of a call, which is sent when the [`Call`] is first polled.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "a call owns its arguments, as a function does"
    )]
    pub fn call<A, R, const FALLIBLE: bool>(
        &self,
        method: &'static MethodDescriptor,
        _: Shape<R, FALLIBLE>,
        arguments: A,
    ) -> Call<R::Value, R::Error>
    where
        A: Payload,
        R: ReturnType<FALLIBLE>,
    {
        let draft = Draft::new(self.shared.clone(), method, self.encode(method, &arguments));
        Call::new(draft, R::decode_value, R::decode_error)
    }

    /// The same for a method whose results may be kept: the call fails if its arguments are written in another order each
    /// time, so that no cache would find a result again.
    pub fn call_cacheable<A, R, const FALLIBLE: bool>(
        &self,
        method: &'static MethodDescriptor,
        shape: Shape<R, FALLIBLE>,
        arguments: A,
    ) -> Call<R::Value, R::Error>
    where
        A: Payload,
        R: ReturnType<FALLIBLE>,
    {
        let Err(error) = unordered::check(&arguments, self.shared.service.name, method) else {
            return self.call(method, shape, arguments);
        };
        let draft = Draft::new(self.shared.clone(), method, Err(CallError::Encode(error)));
        Call::new(draft, R::decode_value, R::decode_error)
    }

    fn encode<A: Payload>(
        &self,
        method: &'static MethodDescriptor,
        arguments: &A,
    ) -> Result<Bytes, CallError> {
        let encoding = self.shared.encoding;
        self.check_types(method).map_err(CallError::Encode)?;
        let body = codec::encode_arguments(arguments, method.arguments, encoding);
        let body = body.map_err(CallError::Encode)?;
        if encoding == Encoding::Bincode && !method.signature.unseen().is_empty() {
            codec::reads_back::<A>(&body).map_err(CallError::Encode)?;
        }
        TooLarge::check(body.len(), self.shared.max_request).map_err(CallError::TooLarge)?;
        Ok(body)
    }

    /// Fails if bincode would misread the method's types.
    fn check_types(&self, method: &MethodDescriptor) -> Result<(), EncodeError> {
        match method.misfit(self.shared.encoding) {
            Some(misfit) => Err(EncodeError::because(format!(
                "{}.{} cannot be called in bincode: {misfit}",
                self.shared.service.name, method.name
            ))),
            None => Ok(()),
        }
    }
}

opaque_debug!(Client, |it|
    service: it.shared.service.name,
    queue: it.shared.queue,
    encoding: it.shared.encoding
);
