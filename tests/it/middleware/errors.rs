//! Errors and panics of layers.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    task::{Context, Poll},
};

use rpc_runtime::middleware::{BoxError, Next, Reply, Request};
use rpc_runtime::{Broker, CallError, Fault, FaultKind, Server};
use rpc_tests::{eventually, unique};
use tokio::time::Instant;
use tower::{Service, filter::FilterLayer, layer::layer_fn, service_fn, util::MapRequestLayer};

use super::{A_MOMENT, Fits, layered_client, layered_server};
use crate::brokers::{
    Inside, Pair, SOON, SampleClient, SampleServer, assert_ended, on_both_brokers, queue, refusal,
};

on_both_brokers! {
    a_fault_of_a_layer_refuses_the_call;
    errors_of_client_layers_reach_the_caller;
    an_error_after_sending_may_have_run;
    errors_of_server_layers_stay_private;
    a_server_survives_a_panic_in_a_layer;
    a_server_drains_with_an_unready_layer;
    a_layer_may_wait_until_the_deadline;
    a_request_enlarged_by_layers_is_refused;
}

#[derive(Debug)]
struct Secret;

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the secret of the layer")
    }
}

impl Error for Secret {}

/// Fails before or after the inner service.
fn failing(before: bool) -> impl Fits {
    layer_fn(move |next: Next| {
        service_fn(move |request: Request| {
            let mut next = next.clone();
            async move {
                if request.method() == "add" && before {
                    return Err(Secret.into());
                }
                let add = request.method() == "add";
                let reply = next.call(request).await;
                if add { Err::<Reply, BoxError>(Secret.into()) } else { reply }
            }
        })
    })
}

fn denying(method: &'static str) -> impl Fits {
    FilterLayer::new(move |request: Request| {
        let fault = Fault::new(FaultKind::NotPermitted, "not today");
        if request.method() == method { Err(fault) } else { Ok(request) }
    })
}

async fn a_fault_of_a_layer_refuses_the_call(broker: Broker) {
    for at_client in [true, false] {
        let pair = if at_client {
            layered_client(broker.clone(), denying("add")).await
        } else {
            layered_server(broker.clone(), denying("add")).await
        };
        let fault = refusal(pair.client.add(1, 2).await);
        assert_eq!((fault.kind(), fault.message()), (FaultKind::NotPermitted, "not today"));
        assert!(!fault.may_have_run());
        assert_eq!(pair.inside.started(), 0);
        assert_eq!(pair.client.echo(vec![1]).await.unwrap(), [1]);
        pair.server.shutdown().await.unwrap();
    }
}

async fn errors_of_client_layers_reach_the_caller(broker: Broker) {
    for before in [true, false] {
        let pair = layered_client(broker.clone(), failing(before)).await;
        let ended = pair.client.add(1, 2).await.unwrap_err();
        assert_eq!(ended.may_have_run(), !before, "{ended:?}");
        assert!(!ended.is_retryable());
        let ran = if before { "it did not run" } else { "it may have run" };
        assert_eq!(
            ended.to_string(),
            format!("a layer of this client ended the call: {Secret}; {ran}")
        );
        assert_ended!(ended, CallError::Layer(error) if error.downcast_ref::<Secret>().is_some());
        pair.server.shutdown().await.unwrap();
    }
}

/// Makes another call after the inner one, and returns its error.
fn auditing() -> impl Fits {
    layer_fn(|next: Next| {
        service_fn(move |request: Request| {
            let mut next = next.clone();
            async move {
                let method = request.method().to_owned();
                let reply = next.call(request).await?;
                match &*method {
                    "add" => Err(BoxError::from(CallError::<Infallible>::NoServer)),
                    "echo" => Err(Fault::new(FaultKind::Overloaded, "no room to audit").into()),
                    _ => Ok::<Reply, BoxError>(reply),
                }
            }
        })
    })
}

async fn an_error_after_sending_may_have_run(broker: Broker) {
    let pair = layered_client(broker, auditing()).await;
    let added = pair.client.add(1, 2).await.unwrap_err();
    assert!(added.may_have_run() && !added.is_retryable(), "{added:?}");
    let echoed = pair.client.echo(vec![1]).await.unwrap_err();
    assert!(echoed.may_have_run() && !echoed.is_retryable(), "{echoed:?}");
    assert_eq!(pair.inside.started(), 2);
    pair.server.shutdown().await.unwrap();
}

async fn errors_of_server_layers_stay_private(broker: Broker) {
    for before in [true, false] {
        let pair = layered_server(broker.clone(), failing(before)).await;
        let fault = refusal(pair.client.add(1, 2).await);
        assert_eq!((fault.kind(), fault.may_have_run()), (FaultKind::Internal, !before));
        assert!(!fault.message().contains("secret"), "{fault}");
        pair.server.shutdown().await.unwrap();
    }
}

async fn a_server_survives_a_panic_in_a_layer(broker: Broker) {
    let fragile = FilterLayer::new(|request: Request| {
        assert!(request.method() != "add", "a layer panics");
        Ok::<_, BoxError>(request)
    });
    let pair = layered_server(broker, fragile).await;
    assert_ended!(pair.client.add(1, 2).await, Err(CallError::Panicked));
    assert_eq!(pair.client.echo(vec![1]).await.unwrap(), [1]);
    assert_eq!(pair.server.stats().panics, 1);
    pair.server.shutdown().await.unwrap();
}

/// Ready only for the requests of `Pair`.
#[derive(Clone)]
struct Closed(Next);

impl Service<Request> for Closed {
    type Response = Reply;
    type Error = BoxError;
    type Future = <Next as Service<Request>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Pending
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.0.call(request)
    }
}

async fn a_server_drains_with_an_unready_layer(broker: Broker) {
    let pair = Pair::new(broker).await;
    pair.server.shutdown().await.unwrap();
    let server = Server::builder(&pair.broker)
        .service_on(queue(&pair.queue), SampleServer::new(pair.inside.clone()))
        .layer(layer_fn(Closed))
        .grace_period(A_MOMENT)
        .start()
        .await
        .unwrap();
    // It ends at its deadline without being started.
    let ended = pair.client.add(1, 2).timeout(A_MOMENT).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { .. }));

    let waiting = tokio::spawn(pair.client.add(1, 2));
    eventually("the request is taken", SOON, || (server.stats().requests == 2).then_some(())).await;
    assert_eq!(server.shutdown().await.unwrap_err().unfinished(), 1);
    assert_eq!(pair.inside.started(), 0);
    waiting.abort();
}

async fn a_layer_may_wait_until_the_deadline(broker: Broker) {
    let hurried = MapRequestLayer::new(|mut request: Request| {
        request.shorten_deadline(Instant::now() + A_MOMENT);
        request
    });
    let pair = Pair::new(broker).await;
    let (name, inside) = (unique("waiting"), Inside::new());
    let server = Server::builder(&pair.broker)
        .service_on(queue(&name), SampleServer::new(inside.clone()))
        .layer(layer_fn(Closed))
        .layer(hurried)
        .start()
        .await
        .unwrap();
    let client = SampleClient::builder(&pair.broker).queue(&name).build();
    // The caller would wait much longer.
    let ended = client.add(1, 2).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: false }));
    assert_eq!(inside.started(), 0);
    server.shutdown().await.unwrap();
    pair.server.shutdown().await.unwrap();
}

async fn a_request_enlarged_by_layers_is_refused(broker: Broker) {
    let pair = Pair::new(broker).await;
    let inflating = MapRequestLayer::new(|mut request: Request| {
        request.set_body(vec![0; 101]);
        request
    });
    let client = SampleClient::builder(&pair.broker)
        .queue(&pair.queue)
        .max_request(100)
        .layer(inflating)
        .build();
    assert_ended!(client.add(1, 2).await, Err(CallError::TooLarge(over)) if over.size == 101);
    pair.server.shutdown().await.unwrap();
}
