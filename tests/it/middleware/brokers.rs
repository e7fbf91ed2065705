//! Layers of a broker: around the calls of clients that are made from it, and around nothing else.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use rpc_runtime::{Broker, Server, UntypedClient, middleware::Request};
use rpc_tests::unique;
use tower::util::MapRequestLayer;

use super::Fits;
use crate::brokers::{Inside, SampleClient, SampleServer, on_both_brokers, queue};

on_both_brokers! {
    a_brokers_layers_leave_its_servers_alone;
}

/// Counts what passes.
fn counting(passed: &Arc<AtomicU32>) -> impl Fits + use<> {
    let passed = passed.clone();
    MapRequestLayer::new(move |request: Request| {
        passed.fetch_add(1, Ordering::SeqCst);
        request
    })
}

async fn a_brokers_layers_leave_its_servers_alone(broker: Broker) {
    let name = unique("layered");
    let (at_calls, at_methods) = <(Arc<AtomicU32>, Arc<AtomicU32>)>::default();
    let layered = broker.clone().layer(counting(&at_calls));
    let count = || (at_calls.load(Ordering::SeqCst), at_methods.load(Ordering::SeqCst));
    let server = Server::builder(&layered)
        .service_on(queue(&name), SampleServer::new(Inside::new()))
        .layer(counting(&at_methods))
        .start()
        .await
        .unwrap();

    let plain = SampleClient::builder(&broker).queue(&name).build();
    assert_eq!(plain.add(1, 2).await.unwrap(), 3);
    assert_eq!(count(), (0, 1), "the server has its own layer alone");

    let counted = SampleClient::builder(&layered).queue(&name).build();
    assert_eq!(counted.add(1, 2).await.unwrap(), 3);
    assert_eq!(count(), (1, 2), "a call passes the broker's layer once");

    let untyped = UntypedClient::new(&layered, &name);
    assert_eq!(untyped.call("add", "[1, 2]").await.unwrap().body, "3");
    assert_eq!(count(), (2, 3));
    server.shutdown().await.unwrap();
}
