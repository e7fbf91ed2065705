//! The included layers: authorization, circuit breaker, cache.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use rpc_runtime::middleware::{Authorization, Cache, CircuitBreaker, CircuitOpen};
use rpc_runtime::{Broker, CallError, Encoding, FaultKind, Server, rpc_service};
use rpc_tests::{Rabbit, eventually_async, unique};
use serde::{Deserialize, Serialize};

use super::{A_MOMENT, layered_client, layered_server};
use crate::brokers::{
    Inside, SOON, SampleClient, SampleServer, assert_ended, on_both_brokers, queue, refusal,
};

on_both_brokers! {
    anonymous_callers_have_everyones_permissions;
    a_missing_service_opens_the_circuit;
    an_open_circuit_tries_one_call_later;
    errors_of_methods_open_no_circuit;
    a_cached_result_serves_only_equal_calls;
    a_cached_result_expires_after_its_lifetime;
    a_servers_cache_is_shared_by_callers;
    arguments_without_stable_order_are_refused;
}

async fn anonymous_callers_have_everyones_permissions(broker: Broker) {
    let rules =
        Authorization::new().permit_anyone(["Sample.seen", "Sample.add"]).permit("guest", ["*"]);
    let pair = layered_server(broker, rules).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    let fault = refusal(pair.client.echo(vec![1]).await);
    assert_eq!((fault.kind(), fault.may_have_run()), (FaultKind::NotPermitted, false));
    assert!(fault.message().contains("Sample.echo"), "{fault}");
    assert_eq!(pair.inside.started(), 1);
    pair.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_callers_rules_decide_its_permissions() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::builder(url).announce_user().connect().await.unwrap();
    let rules = Authorization::new().permit("guest", ["Sample.add"]).permit("director", ["*"]);
    let pair = layered_server(broker, rules).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    let fault = refusal(pair.client.echo(vec![1]).await);
    assert_eq!(fault.message(), "guest may not call Sample.echo");
    pair.server.shutdown().await.unwrap();
}

fn assert_open<T: std::fmt::Debug, E: std::fmt::Debug>(ended: Result<T, CallError<E>>) {
    let Err(error) = ended else { panic!("it was called: {ended:?}") };
    assert!(error.is_retryable() && !error.may_have_run(), "{error:?}");
    assert_ended!(error, CallError::Layer(error) if error.downcast_ref::<CircuitOpen>().is_some());
}

async fn a_missing_service_opens_the_circuit(broker: Broker) {
    let (there, missing) = (unique("there"), unique("missing"));
    let inside = Inside::new();
    let server = Server::builder(&broker)
        .service_on(queue(&there), SampleServer::new(inside.clone()))
        .start()
        .await
        .unwrap();
    let broker = broker.layer(CircuitBreaker::new().failures(2).pause(SOON));
    let on = |queue: &str| SampleClient::builder(&broker).queue(queue).build();
    assert_ended!(on(&missing).add(1, 2).await, Err(CallError::NoServer));
    assert_ended!(on(&missing).add(1, 2).await, Err(CallError::NoServer));
    assert_open(on(&missing).add(1, 2).await);
    assert_eq!(on(&there).add(1, 2).await.unwrap(), 3, "another queue has a circuit of its own");
    server.shutdown().await.unwrap();
}

async fn an_open_circuit_tries_one_call_later(broker: Broker) {
    let pair = layered_client(broker, CircuitBreaker::new().failures(2).pause(A_MOMENT)).await;
    for n in 0..2 {
        let ended = pair.client.wait(n).timeout(A_MOMENT).await;
        assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
    }
    assert_open(pair.client.add(1, 2).await);
    // One call passes; the others are refused while it runs.
    let trial = eventually_async("a call is let through", SOON, async || {
        let mut trial = tokio::spawn(pair.client.wait(3));
        tokio::select! {
            ended = &mut trial => { assert_open(ended.unwrap()); None }
            () = pair.inside.has_started(3) => Some(trial),
        }
    })
    .await;
    assert_open(pair.client.add(1, 2).await);
    pair.inside.gate.add_permits(3);
    assert_eq!(trial.await.unwrap().unwrap(), 3);
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

async fn errors_of_methods_open_no_circuit(broker: Broker) {
    let pair = layered_client(broker, CircuitBreaker::new().failures(1).pause(SOON)).await;
    for _ in 0..3 {
        assert_ended!(pair.client.divide(1, 0).await, Err(CallError::Application(_)));
        assert_ended!(pair.client.explode(String::new()).await, Err(CallError::Panicked));
    }
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

#[rpc_service]
trait Prices {
    #[rpc(cacheable = "1h")]
    async fn price(&self, item: String) -> Result<u32, String>;

    #[rpc(cacheable = "100ms")]
    async fn rate(&self) -> u32;

    async fn stock(&self) -> u32;
}

/// Returns the number of its runs.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicU32>);

impl Counting {
    fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

impl Prices for Counting {
    async fn price(&self, item: String) -> Result<u32, String> {
        let asked = self.next();
        if item == "nothing" { Err(format!("asked {asked} times")) } else { Ok(asked) }
    }

    async fn rate(&self) -> u32 {
        self.next()
    }

    async fn stock(&self) -> u32 {
        self.next()
    }
}

async fn shop(broker: &Broker) -> (String, Server) {
    let name = unique("prices");
    let service = PricesServer::new(Counting::default());
    let server = Server::builder(broker).service_on(queue(&name), service).start().await.unwrap();
    (name, server)
}

async fn a_cached_result_serves_only_equal_calls(broker: Broker) {
    let (name, server) = shop(&broker).await;
    let cache = Cache::new(1_000_000);
    let broker = broker.layer(cache.clone());
    let client = || PricesClient::builder(&broker).queue(&name);
    let ink = || client().build().price("ink".to_owned());
    assert_eq!(ink().await.unwrap(), 0);
    assert_eq!(ink().await.unwrap(), 0, "also for another client of the broker");
    assert_eq!(ink().header("traceparent", "other").await.unwrap(), 0);
    assert_eq!(client().build().price("pen".to_owned()).await.unwrap(), 1);
    assert_eq!(ink().header("tenant", "a").await.unwrap(), 2);
    assert_eq!(ink().header("tenant", "b").await.unwrap(), 3);
    assert_eq!(ink().header("tenant", "a").await.unwrap(), 2);
    assert_eq!(client().encoding(Encoding::Json).build().price("ink".to_owned()).await.unwrap(), 4);
    let plain = client().build();
    assert_eq!((plain.stock().await.unwrap(), plain.stock().await.unwrap()), (5, 6));
    for asked in ["asked 7 times", "asked 8 times"] {
        let ended = plain.price("nothing".to_owned()).await;
        assert_ended!(ended, Err(CallError::Application(error)) if error == asked);
    }
    // A one-way call has no result to cache.
    plain.price("paper".to_owned()).send().await.unwrap();
    let paper = eventually_async("the request that was sent has run", SOON, async || {
        let next = plain.stock().await.unwrap();
        (next > 9).then_some(next)
    });
    paper.await;
    assert!(plain.price("paper".to_owned()).await.unwrap() > 9);
    cache.clear();
    assert!(ink().await.unwrap() > 9);
    server.shutdown().await.unwrap();
}

async fn a_cached_result_expires_after_its_lifetime(broker: Broker) {
    let (name, server) = shop(&broker).await;
    let client = PricesClient::builder(&broker).queue(&name).layer(Cache::new(1_000_000)).build();
    let first = client.rate().await.unwrap();
    eventually_async("the method is asked again", SOON, async || {
        (client.rate().await.unwrap() > first).then_some(())
    })
    .await;
    server.shutdown().await.unwrap();
}

async fn a_servers_cache_is_shared_by_callers(broker: Broker) {
    let name = unique("prices");
    let server = Server::builder(&broker)
        .service_on(queue(&name), PricesServer::new(Counting::default()))
        .layer(Cache::new(1_000_000))
        .start()
        .await
        .unwrap();
    let client = || PricesClient::builder(&broker).queue(&name).build();
    assert_eq!(client().price("ink".to_owned()).await.unwrap(), 0);
    assert_eq!(client().price("ink".to_owned()).await.unwrap(), 0);
    assert_eq!(client().price("pen".to_owned()).await.unwrap(), 1);
    server.shutdown().await.unwrap();
}

/// The macro cannot see its fields.
#[derive(Serialize, Deserialize)]
struct Unordered {
    tags: HashSet<String>,
}

#[derive(Serialize, Deserialize)]
struct Ordered {
    tags: BTreeSet<String>,
}

#[rpc_service]
trait Search {
    #[rpc(cacheable = "1h")]
    async fn unordered(&self, page: u32, filter: Unordered) -> u32;

    #[rpc(cacheable = "1h")]
    async fn ordered(&self, page: u32, filter: Ordered) -> u32;
}

impl Search for Counting {
    async fn unordered(&self, _page: u32, _filter: Unordered) -> u32 {
        self.next()
    }

    async fn ordered(&self, _page: u32, _filter: Ordered) -> u32 {
        self.next()
    }
}

async fn arguments_without_stable_order_are_refused(broker: Broker) {
    let name = unique("search");
    let service = SearchServer::new(Counting::default());
    let server = Server::builder(&broker).service_on(queue(&name), service).start().await.unwrap();
    let client = SearchClient::builder(&broker).queue(&name).layer(Cache::new(1_000_000)).build();
    let tags = || ["a", "b", "c", "d", "e"].map(str::to_owned);
    let error = client.unordered(1, Unordered { tags: tags().into() }).await.unwrap_err();
    assert!(!error.may_have_run(), "{error}");
    let reason = std::error::Error::source(&error).unwrap().to_string();
    for part in ["Search.unordered", "`filter`", "`HashSet`", "`BTreeSet`", "`cacheable`"] {
        assert!(reason.contains(part), "{reason}");
    }
    for _ in 0..3 {
        assert_eq!(client.ordered(1, Ordered { tags: tags().into() }).await.unwrap(), 0);
    }
    server.shutdown().await.unwrap();
}
