//! Results kept for methods that say how long.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use moka::Expiry;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::{
    BoxError, Reply, Request,
    answering::{Answering, Ended, Watch},
};
use crate::{
    causes::opaque_debug,
    codec::Encoding,
    limits, observe,
    wire::{TRACE_HEADERS, UserHeaders},
};

/// A layer for either side: answers calls of methods marked `#[rpc(cacheable = "30s")]` with a result that it has, until
/// that is so old.
///
/// One call has the result of another if both are of the same method with the same arguments, the same headers (but
/// those of tracing) and, at a server, the same caller: so a result never reaches somebody whom the method would have told
/// something else, unless it looks at other things. Only results are kept, no errors and no faults. Calls at the same
/// time that all find nothing are all made. Where a cache is added twice, each place has results of its own. What is kept takes at most the bytes given, and what is used least goes first.
///
/// ```
/// use rpc_runtime::{Broker, Server, middleware::Cache, rpc_service};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// #[rpc_service]
/// trait Weather {
///     #[rpc(cacheable = "10m")]
///     async fn forecast(&self, city: String) -> u32;
/// }
///
/// #[derive(Default)]
/// struct Asked(AtomicU32);
/// impl Weather for Asked {
///     async fn forecast(&self, _city: String) -> u32 {
///         self.0.fetch_add(1, Ordering::Relaxed)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rpc_runtime::CallError> {
/// let broker = Broker::serving(WeatherServer::new(Asked::default()));
/// let client = WeatherClient::new(&broker.layer(Cache::new(1_000_000)));
/// assert_eq!(client.forecast("Oslo".into()).await?, 0);
/// assert_eq!(client.forecast("Oslo".into()).await?, 0, "not asked again");
/// assert_eq!(client.forecast("Rome".into()).await?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is added"]
pub struct Cache {
    kept: moka::sync::Cache<Key, Kept>,
    places: Arc<AtomicUsize>,
}

/// What two calls have in common that may have the same result.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    /// Where the layer is: two brokers may call other services by the same name.
    place: usize,
    destination: String,
    service: String,
    method: String,
    caller: Option<String>,
    headers: UserHeaders,
    encoding: Encoding,
    body: Bytes,
}

#[derive(Clone)]
struct Kept {
    body: Bytes,
    encoding: Encoding,
    lifetime: Duration,
    /// By tokio's clock, which a test may pause.
    since: Instant,
}

impl Kept {
    fn is_fresh(&self) -> bool {
        self.since.elapsed() < self.lifetime
    }

    /// When the cache may take it away, by a clock of its own that nobody pauses: with time enough for a test to be over.
    fn stale_after(&self) -> Duration {
        self.lifetime.saturating_add(limits::KEPT_BEYOND)
    }
}

/// Each result has the lifetime that its method says. What nobody asks for any more is taken away a while later.
struct Lifetimes;

impl Expiry<Key, Kept> for Lifetimes {
    fn expire_after_create(&self, _: &Key, kept: &Kept, _: std::time::Instant) -> Option<Duration> {
        Some(kept.stale_after())
    }

    fn expire_after_update(
        &self,
        _: &Key,
        kept: &Kept,
        _: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.stale_after())
    }
}

impl Cache {
    /// Keeps so many bytes, of arguments and results together.
    pub fn new(bytes: u64) -> Self {
        let kept = moka::sync::Cache::builder()
            .max_capacity(bytes)
            .weigher(|key: &Key, kept: &Kept| {
                u32::try_from(key.size().saturating_add(kept.body.len())).unwrap_or(u32::MAX)
            })
            .expire_after(Lifetimes)
            .build();
        Self { kept, places: Arc::default() }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.kept.invalidate_all();
    }
}

impl Key {
    fn of(place: usize, request: &Request) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut headers: UserHeaders = request
            .headers()
            .filter(|(name, _)| !TRACE_HEADERS.contains(name))
            .map(owned)
            .collect();
        headers.sort();
        Self {
            place,
            destination: request.destination().to_owned(),
            service: request.service().to_owned(),
            method: request.method().to_owned(),
            caller: request.caller().map(str::to_owned),
            headers,
            encoding: request.encoding(),
            body: request.body().clone(),
        }
    }

    fn size(&self) -> usize {
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let names = self.destination.len() + self.service.len() + self.method.len();
        let caller = self.caller.as_ref().map_or(0, String::len);
        mem::size_of::<Self>() + mem::size_of::<Kept>() + names + caller + headers + self.body.len()
    }
}

opaque_debug!(Cache, |it| results: it.kept.entry_count());

impl<S> Layer<S> for Cache {
    type Service = Caching<S>;

    fn layer(&self, below: S) -> Caching<S> {
        let place = self.places.fetch_add(1, Ordering::Relaxed);
        Caching { below, place, cache: self.clone() }
    }
}

/// The service of [`Cache`].
#[derive(Debug, Clone)]
pub struct Caching<S> {
    below: S,
    place: usize,
    cache: Cache,
}

/// A result to be kept when it comes.
pub struct Keep {
    cache: Cache,
    key: Key,
    lifetime: Duration,
}

opaque_debug!(Keep, |it| lifetime: it.lifetime);

impl Watch for Option<Keep> {
    fn ended(self, ended: &Ended) {
        if let (Some(Keep { cache, key, lifetime }), Ok(Reply::Result { body, encoding })) =
            (self, ended)
        {
            let (body, encoding, since) = (body.clone(), *encoding, Instant::now());
            cache.kept.insert(key, Kept { body, encoding, lifetime, since });
        }
    }
}

impl<S> Service<Request> for Caching<S>
where
    S: Service<Request, Response = Reply>,
    S::Error: Into<BoxError>,
{
    type Response = Reply;
    type Error = BoxError;
    type Future = Answering<S::Future, Option<Keep>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.below.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Some(lifetime) = request.cacheable() else {
            return Answering::below(self.below.call(request), None);
        };
        let key = Key::of(self.place, &request);
        let kept = self.cache.kept.get(&key).filter(Kept::is_fresh);
        observe::looked_up(request.labels(), kept.is_some());
        if let Some(Kept { body, encoding, .. }) = kept {
            return Answering::itself(Ok(Reply::Result { body, encoding }));
        }
        let keep = Keep { cache: self.cache.clone(), key, lifetime };
        Answering::below(self.below.call(request), Some(keep))
    }
}
