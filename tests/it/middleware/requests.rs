//! Layers read and change requests.

use std::sync::{Arc, Mutex};

use rpc_runtime::middleware::{BoxError, Next, Reply, Request};
use rpc_runtime::{Broker, Encoding, Server};
use rpc_tests::unique;
use tokio::time::Instant;
use tower::{Service as _, layer::layer_fn, service_fn, util::MapRequestLayer};

use super::{Fits, layered_client, layered_server};
use crate::brokers::{Inside, Pair, SampleClient, SampleServer, on_both_brokers, queue};

on_both_brokers! {
    headers_of_layers_reach_the_handler;
    a_layer_brings_the_deadline_forward;
    layers_wrap_in_order;
    a_layer_answers_in_place_of_the_server;
    debug_shows_neither_headers_nor_bodies;
}

fn tagged(value: &'static str) -> impl Fits {
    MapRequestLayer::new(move |mut request: Request| {
        let tags = format!("{}{value}", request.header("tags").unwrap_or_default());
        request.set_header("tags", tags).unwrap();
        for reserved in ["rpc-signature", "CC", "BCC"] {
            assert!(request.set_header(reserved, "x").is_err(), "{reserved}");
        }
        assert!(request.set_header("large", "x".repeat(16 * 1024)).is_err(), "too large");
        assert!(request.header("large").is_none());
        request
    })
}

async fn tags(client: &SampleClient) -> String {
    let headers = client.seen().header("other", "kept").await.unwrap().headers;
    let value = |name| headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!(value("other"), "kept");
    value("tags")
}

async fn headers_of_layers_reach_the_handler(broker: Broker) {
    let pair = layered_client(broker.clone(), tagged("c")).await;
    assert_eq!(tags(&pair.client).await, "c");
    pair.server.shutdown().await.unwrap();
    let pair = layered_server(broker, tagged("s")).await;
    assert_eq!(tags(&pair.client).await, "s");
    pair.server.shutdown().await.unwrap();
}

async fn a_layer_brings_the_deadline_forward(broker: Broker) {
    let hurry = || {
        MapRequestLayer::new(|mut request: Request| {
            let left = request.remaining().unwrap();
            request.shorten_deadline(Instant::now() + left / 2);
            request.shorten_deadline(Instant::now() + left * 2);
            request
        })
    };
    let pair = Pair::new(broker).await;
    let unhurried = pair.client.seen().await.unwrap().left.unwrap();
    pair.server.shutdown().await.unwrap();
    let server = Server::builder(&pair.broker)
        .service_on(queue(&pair.queue), SampleServer::new(pair.inside.clone()))
        .layer(hurry())
        .start()
        .await
        .unwrap();
    let client = SampleClient::builder(&pair.broker).queue(&pair.queue).layer(hurry()).build();
    let left = client.seen().await.unwrap().left.unwrap();
    assert!(left <= unhurried / 3, "{left:?} of {unhurried:?}, halved twice");
    server.shutdown().await.unwrap();
}

async fn layers_wrap_in_order(broker: Broker) {
    let pair = Pair::with(broker, |server| server.layer(tagged("6")).layer(tagged("5"))).await;
    let broker = pair.broker.clone().layer(tagged("4")).layer(tagged("3"));
    let client = SampleClient::builder(&broker)
        .queue(&pair.queue)
        .layer(tagged("2"))
        .layer(tagged("1"))
        .build();
    assert_eq!(tags(&client).await, "123456");
    let plain = pair.client.seen().await.unwrap().headers;
    assert_eq!(plain, [("tags".to_owned(), "56".to_owned())], "other clients are as they were");
    pair.server.shutdown().await.unwrap();
}

async fn a_layer_answers_in_place_of_the_server(broker: Broker) {
    let seven = Reply::Result { body: "7".into(), encoding: Encoding::Json };
    let always = layer_fn(move |_: Next| {
        let seven = seven.clone();
        service_fn(move |_: Request| {
            let seven = seven.clone();
            async move { Ok::<_, BoxError>(seven) }
        })
    });
    let nobody = SampleClient::builder(&broker).queue(unique("nobody")).layer(always.clone());
    assert_eq!(nobody.build().add(1, 2).await.unwrap(), 7);
    let pair = layered_server(broker, always).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 7);
    assert_eq!(pair.inside.started(), 0);
    pair.server.shutdown().await.unwrap();
}

async fn debug_shows_neither_headers_nor_bodies(broker: Broker) {
    let shown = Arc::new(Mutex::new(Vec::new()));
    let showing = {
        let shown = shown.clone();
        layer_fn(move |next: Next| {
            let shown = shown.clone();
            service_fn(move |request: Request| {
                let (mut next, shown) = (next.clone(), shown.clone());
                async move {
                    shown.lock().unwrap().push(format!("{request:?}"));
                    let reply = next.call(request).await;
                    shown.lock().unwrap().push(format!("{reply:?}"));
                    reply
                }
            })
        })
    };
    let (name, inside) = (unique("shown"), Inside::new());
    let server = Server::builder(&broker)
        .service_on(queue(&name), SampleServer::new(inside))
        .layer(showing.clone())
        .start()
        .await
        .unwrap();
    let client =
        SampleClient::builder(&broker).queue(&name).encoding(Encoding::Json).layer(showing).build();
    client.echo(b"private".to_vec()).header("secret", "private").await.unwrap();
    let shown = shown.lock().unwrap().join("\n");
    let bytes = "112,114";
    assert!(shown.contains("echo") && shown.contains("size"), "{shown}");
    assert!(!shown.contains("private") && !shown.contains(bytes), "{shown}");
    server.shutdown().await.unwrap();
}
