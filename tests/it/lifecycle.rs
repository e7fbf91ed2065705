//! Servers start, share a queue, and end.

use std::time::Duration;

use rpc_runtime::{Broker, BrokerErrorKind, CallError, FaultKind, Queue, Server};
use rpc_tests::{Peer, QueueSpec, Rabbit, eventually, unique};

use crate::brokers::{
    Inside, Pair, SOON, SampleClient, SampleServer, assert_ended, on_both_brokers, queue, refusal,
};

on_both_brokers! {
    concurrency_bounds_the_requests_taken;
    a_second_server_shares_the_load;
    shutdown_finishes_requests_in_progress;
    a_handler_is_cancelled_after_the_grace_period;
    a_dropped_server_requeues_its_requests;
    a_handler_sees_the_grace_period_end;
    each_service_needs_its_own_queue;
    a_queue_declared_differently_fails_the_start;
    several_services_share_a_server;
}

#[tokio::test]
async fn a_temporary_queue_of_either_type_expires() {
    let url = Rabbit::shared().await.url();
    let (broker, peer) = (Broker::connect(url).await.unwrap(), Peer::connect(url).await.unwrap());
    for quorum in [false, true] {
        let name = unique("temporary");
        let queue = Queue::named(&name).temporary();
        let queue = if quorum { queue.quorum() } else { queue };
        let server = Server::builder(&broker).service_on(queue, SampleServer::new(Inside::new()));
        let server = server.start().await.unwrap();
        let client = SampleClient::builder(&broker).queue(&name).build();
        assert_eq!(client.add(1, 2).await.unwrap(), 3, "quorum: {quorum}");
        server.shutdown().await.unwrap();

        // RabbitMQ names the argument that differs.
        let spec = QueueSpec::named(&name).durable();
        let spec = if quorum { spec.quorum() } else { spec.classic() };
        let refused = peer.declare(spec.argument("x-expires", 1)).await.unwrap_err();
        assert!(refused.text.contains("x-expires") && refused.text.contains("60000"), "{refused}");
        peer.delete(&name).await.unwrap();
    }
}

async fn concurrency_bounds_the_requests_taken(broker: Broker) {
    let pair = Pair::with(broker.clone(), |server| server.concurrency(2)).await;
    let calls: Vec<_> = (0..6).map(|n| tokio::spawn(pair.client.wait(n))).collect();
    pair.inside.has_started(2).await;
    // Other requests stay in the queue for another server.
    let (other, inside) = pair.another(&broker).await;
    inside.has_started(4).await;
    inside.gate.add_permits(10);
    pair.inside.gate.add_permits(10);
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap() as usize, n);
    }
    assert_eq!((pair.inside.started(), inside.started()), (2, 4));
    assert_eq!(pair.inside.most.load(std::sync::atomic::Ordering::SeqCst), 2);
    other.shutdown().await.unwrap();
    pair.server.shutdown().await.unwrap();
}

async fn a_second_server_shares_the_load(broker: Broker) {
    let pair = Pair::new(broker.clone()).await;
    let (other, inside) = pair.another(&broker).await;
    for n in 0..20 {
        assert_eq!(pair.client.add(n, 1).await.unwrap(), n + 1);
    }
    assert_eq!((pair.inside.started(), inside.started()), (10, 10), "RabbitMQ takes turns");
    other.shutdown().await.unwrap();
    assert_eq!(pair.client.add(1, 1).await.unwrap(), 2);
    pair.server.shutdown().await.unwrap();
}

async fn shutdown_finishes_requests_in_progress(broker: Broker) {
    let pair = Pair::with(broker.clone(), |server| server.concurrency(2)).await;
    let running: Vec<_> = (0..2).map(|n| tokio::spawn(pair.client.wait(n))).collect();
    pair.inside.has_started(2).await;
    let waiting: Vec<_> = (2..5).map(|n| tokio::spawn(pair.client.wait(n))).collect();
    eventually("all are sent", SOON, || (broker.in_flight() == 5).then_some(())).await;

    let (other, inside) = pair.another(&broker).await;
    let ending = tokio::spawn(pair.server.shutdown());
    inside.has_started(3).await;
    inside.gate.add_permits(3);
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    assert!(!ending.is_finished(), "two handlers still run");
    pair.inside.gate.add_permits(2);
    for call in running {
        call.await.unwrap().unwrap();
    }
    ending.await.unwrap().unwrap();
    assert_eq!((pair.inside.started(), inside.started()), (2, 3), "each ran once");
    other.shutdown().await.unwrap();
}

async fn a_handler_is_cancelled_after_the_grace_period(broker: Broker) {
    let short = Duration::from_millis(50);
    let pair = Pair::with(broker.clone(), |server| server.grace_period(short)).await;
    let again = tokio::spawn(pair.client.wait(1));
    let once = tokio::spawn(pair.client.once(2));
    pair.inside.has_started(2).await;
    let error = pair.server.shutdown().await.unwrap_err();
    assert_eq!(error.unfinished(), 2);
    assert!(error.to_string().contains("went back to the queue"));

    let inside = Inside::new();
    inside.gate.add_permits(2);
    let other = Server::builder(&broker)
        .service_on(queue(&pair.queue), SampleServer::new(inside.clone()))
        .start()
        .await
        .unwrap();
    assert_eq!(again.await.unwrap().unwrap(), 1);
    let fault = refusal(once.await.unwrap());
    assert_eq!((fault.kind(), fault.may_have_run()), (FaultKind::OutcomeUnknown, true));
    assert_eq!(inside.started(), 1);
    other.shutdown().await.unwrap();
}

async fn a_dropped_server_requeues_its_requests(broker: Broker) {
    let pair = Pair::new(broker.clone()).await;
    let call = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    drop(pair.server);
    let inside = Inside::new();
    inside.gate.add_permits(1);
    let other = Server::builder(&broker)
        .service_on(queue(&pair.queue), SampleServer::new(inside.clone()))
        .start()
        .await
        .unwrap();
    assert_eq!(call.await.unwrap().unwrap(), 1);
    assert_eq!(inside.started(), 1);
    other.shutdown().await.unwrap();
}

/// Waits for the end of its request and reports it.
struct Patient(tokio::sync::mpsc::UnboundedSender<()>);

#[rpc_runtime::rpc_service]
trait Patience {
    async fn wait(&self);
}

impl Patience for Patient {
    async fn wait(&self) {
        self.0.send(()).unwrap();
        rpc_runtime::Context::current().unwrap().cancelled().await;
    }
}

async fn a_handler_sees_the_grace_period_end(broker: Broker) {
    let (sender, mut started) = tokio::sync::mpsc::unbounded_channel();
    let name = unique("patience");
    let server = Server::builder(&broker)
        .service_on(queue(&name), PatienceServer::new(Patient(sender)))
        .grace_period(Duration::from_millis(20))
        .start()
        .await
        .unwrap();
    let client = PatienceClient::builder(&broker).queue(&name).build();
    // Once at its deadline …
    let ended = client.wait().timeout(Duration::from_millis(500)).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
    started.recv().await.unwrap();
    // … and once at the end of the grace period, in time to answer.
    let call = tokio::spawn(client.wait());
    started.recv().await.unwrap();
    server.shutdown().await.unwrap();
    call.await.unwrap().unwrap();
}

async fn each_service_needs_its_own_queue(broker: Broker) {
    let error = Server::builder(&broker).start().await.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Misuse);
    let name = unique("shared");
    let sample = || SampleServer::new(Inside::new());
    let error = Server::builder(&broker)
        .service_on(queue(&name), sample())
        .service_on(queue(&name), sample())
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Misuse);
    assert!(error.to_string().contains(&name) && error.to_string().contains("service_on"));
    let error = Server::builder(&broker)
        .service_on(Queue::named("amq.mine"), sample())
        .start()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("reserves"), "{error}");
    // A cut name would be another queue.
    let long = Queue::named("q".repeat(254));
    let started = Server::builder(&broker).service_on(long, sample()).start().await;
    let error = started.unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::Misuse);
    assert!(error.to_string().contains("a name of 254 bytes"), "{error}");
}

async fn a_queue_declared_differently_fails_the_start(broker: Broker) {
    let pair = Pair::new(broker.clone()).await;
    let error = Server::builder(&broker)
        .service_on(queue(&pair.queue).max_length(5), SampleServer::new(Inside::new()))
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::DeclaredDifferently);
    assert!(error.to_string().contains("x-max-length"), "{error}");
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3, "the first goes on");
    pair.server.shutdown().await.unwrap();
}

async fn several_services_share_a_server(broker: Broker) {
    let (one, two) = (unique("one"), unique("two"));
    let (first, second) = (Inside::new(), Inside::new());
    let server = Server::builder(&broker)
        .service_on(queue(&one), SampleServer::new(first.clone()))
        .service_on(queue(&two), SampleServer::new(second.clone()))
        .start()
        .await
        .unwrap();
    for name in [&one, &two, &two] {
        let client = SampleClient::builder(&broker).queue(name).build();
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
    }
    assert_eq!((first.started(), second.started()), (1, 2));
    server.shutdown().await.unwrap();
}
