//! Layers of tower.

use std::{
    convert::Infallible,
    future,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use rpc_runtime::middleware::{BoxError, Reply, Request};
use rpc_runtime::{Broker, CallError, Fault, FaultKind, Server};
use tower::{
    ServiceBuilder,
    buffer::BufferLayer,
    filter::{AsyncFilterLayer, FilterLayer},
    limit::{ConcurrencyLimitLayer, GlobalConcurrencyLimitLayer, RateLimitLayer},
    load_shed::LoadShedLayer,
    retry::{Policy, RetryLayer},
    timeout::TimeoutLayer,
};

use super::{A_MOMENT, layered_client, layered_server};
use crate::brokers::{
    Pair, SOON, SampleClient, SampleServer, assert_ended, on_both_brokers, queue, refusal,
};

on_both_brokers! {
    all_tower_layers_work_together;
    a_client_timeout_knows_whether_it_sent;
    a_server_timeout_knows_whether_it_ran;
    shed_calls_are_overloaded_at_the_client;
    shed_requests_are_overloaded_at_the_server;
    a_rate_is_kept_behind_a_buffer;
    a_limit_covers_all_clients_of_a_broker;
    a_retry_sends_the_same_call_again;
}

/// Retries at once if the request cannot have run.
#[derive(Clone)]
struct Again(u32);

impl Policy<Request, Reply, BoxError> for Again {
    type Future = future::Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request,
        ended: &mut Result<Reply, BoxError>,
    ) -> Option<Self::Future> {
        let retryable = match ended {
            Ok(reply) => reply.fault().is_some_and(Fault::is_retryable),
            Err(error) => error.downcast_ref().is_some_and(CallError::<Infallible>::is_retryable),
        };
        if !retryable || self.0 == 0 {
            return None;
        }
        self.0 -= 1;
        Some(future::ready(()))
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        Some(request.clone())
    }
}

fn all() -> impl super::Fits {
    let pass = |request: Request| Ok::<_, BoxError>(request);
    ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(BufferLayer::new(10))
        .layer(RateLimitLayer::new(100, Duration::from_millis(1)))
        .layer(RetryLayer::new(Again(1)))
        .layer(ConcurrencyLimitLayer::new(10))
        .layer(FilterLayer::new(pass))
        .layer(AsyncFilterLayer::new(move |request| future::ready(pass(request))))
        .layer(TimeoutLayer::new(SOON))
}

async fn all_tower_layers_work_together(broker: Broker) {
    let pair = Pair::with(broker, |server| server.layer(all())).await;
    let broker = pair.broker.clone().layer(all());
    let client = SampleClient::builder(&broker).queue(&pair.queue).layer(all()).build();
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    assert_ended!(client.divide(1, 0).await, Err(CallError::Application(_)));
    client.note("one-way".to_owned()).await.unwrap();
    client.add(3, 4).send().await.unwrap();
    pair.inside.has_started(3).await;
    pair.server.shutdown().await.unwrap();
}

async fn a_client_timeout_knows_whether_it_sent(broker: Broker) {
    let limited = ServiceBuilder::new().timeout(A_MOMENT).concurrency_limit(1);
    let pair = layered_client(broker, limited).await;
    let ended = pair.client.wait(1).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
    pair.inside.has_started(1).await;

    // The limit is outside the timeout, so that a running call keeps its permit.
    let waiting = ServiceBuilder::new().concurrency_limit(1);
    let below = pair.broker.clone().layer(waiting);
    let unlimited = SampleClient::builder(&below).queue(&pair.queue).build();
    let hurried =
        SampleClient::builder(&below).queue(&pair.queue).layer(TimeoutLayer::new(A_MOMENT)).build();
    let running = tokio::spawn(unlimited.wait(2));
    pair.inside.has_started(2).await;
    let ended = hurried.wait(3).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: false }));
    // The deadline of the call itself does not wait for a layer either.
    let ended = unlimited.wait(3).timeout(A_MOMENT).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: false }));
    pair.inside.gate.add_permits(2);
    assert_eq!(running.await.unwrap().unwrap(), 2);
    assert_eq!(pair.inside.started(), 2);
    pair.server.shutdown().await.unwrap();
}

async fn a_server_timeout_knows_whether_it_ran(broker: Broker) {
    let limited = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_millis(500)))
        .layer(GlobalConcurrencyLimitLayer::new(1));
    let pair = layered_server(broker, limited).await;
    let ended = pair.client.wait(1).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
    assert_eq!(pair.inside.started(), 1);
    pair.server.shutdown().await.unwrap();
}

async fn shed_calls_are_overloaded_at_the_client(broker: Broker) {
    let one = ServiceBuilder::new().load_shed().concurrency_limit(1);
    let pair = layered_client(broker, one).await;
    let running = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    let fault = refusal(pair.client.wait(2).await);
    assert_eq!((fault.kind(), fault.is_retryable()), (FaultKind::Overloaded, true));
    pair.inside.gate.add_permits(1);
    assert_eq!(running.await.unwrap().unwrap(), 1);
    pair.server.shutdown().await.unwrap();
}

async fn shed_requests_are_overloaded_at_the_server(broker: Broker) {
    let one = ServiceBuilder::new().load_shed().concurrency_limit(1);
    let pair = layered_server(broker, one).await;
    let running = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    let fault = refusal(pair.client.wait(2).await);
    assert_eq!((fault.kind(), fault.is_retryable()), (FaultKind::Overloaded, true));
    pair.inside.gate.add_permits(1);
    assert_eq!(running.await.unwrap().unwrap(), 1);
    assert_eq!(pair.inside.started(), 1);
    pair.server.shutdown().await.unwrap();
}

async fn a_rate_is_kept_behind_a_buffer(broker: Broker) {
    let two_an_hour = ServiceBuilder::new().buffer(10).rate_limit(2, Duration::from_secs(3600));
    let pair = layered_client(broker, two_an_hour).await;
    assert_eq!(pair.client.add(1, 1).await.unwrap(), 2);
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    let ended = pair.client.add(1, 3).timeout(A_MOMENT).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: false }));
    pair.server.shutdown().await.unwrap();
}

async fn a_limit_covers_all_clients_of_a_broker(broker: Broker) {
    let pair = Pair::new(broker.layer(GlobalConcurrencyLimitLayer::new(2))).await;
    let calls: Vec<_> = (0..6)
        .map(|n| {
            let client = SampleClient::builder(&pair.broker).queue(&pair.queue).build();
            tokio::spawn(client.wait(n))
        })
        .collect();
    pair.inside.has_started(2).await;
    for (n, call) in (0..).zip(calls) {
        pair.inside.gate.add_permits(1);
        assert_eq!(call.await.unwrap().unwrap(), n);
    }
    assert_eq!(pair.inside.most.load(Ordering::SeqCst), 2);
    pair.server.shutdown().await.unwrap();
}

async fn a_retry_sends_the_same_call_again(broker: Broker) {
    let seen = Arc::<Mutex<Vec<Option<String>>>>::default();
    let refused_twice = {
        let seen = seen.clone();
        FilterLayer::new(move |request: Request| {
            let mut seen = seen.lock().unwrap();
            seen.push(request.header("tenant").map(str::to_owned));
            let fault = Fault::new(FaultKind::Overloaded, "not yet");
            if seen.len() < 3 { Err(fault) } else { Ok(request) }
        })
    };
    let pair = Pair::new(broker).await;
    pair.server.shutdown().await.unwrap();
    let server = Server::builder(&pair.broker)
        .service_on(queue(&pair.queue), SampleServer::new(pair.inside.clone()))
        .layer(refused_twice)
        .start()
        .await
        .unwrap();
    let stubborn = |times| {
        let layer = RetryLayer::new(Again(times));
        SampleClient::builder(&pair.broker).queue(&pair.queue).layer(layer).build()
    };
    let fault = refusal(stubborn(1).add(1, 2).header("tenant", "a").await);
    assert_eq!(fault.kind(), FaultKind::Overloaded);
    assert_eq!(stubborn(1).add(1, 2).header("tenant", "a").await.unwrap(), 3);
    assert_eq!(*seen.lock().unwrap(), vec![Some("a".to_owned()); 3]);
    server.shutdown().await.unwrap();
}
