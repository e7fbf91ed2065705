//! Options of a broker: in memory they do what they do with RabbitMQ.

use std::time::Duration;

use rpc_runtime::{
    Broker, BrokerBuilder, CallError, Context, FaultKind, Overflow, Server, Unavailable, WhenFull,
    rpc_service, testing::Faults,
};
use rpc_tests::{Rabbit, eventually_async, unique};

use crate::brokers::{
    Inside, Pair, SOON, SampleClient, SampleServer, assert_ended, queue, refusal,
};

/// Each line is a test with options on each broker.
macro_rules! on_each_broker {
    ($($name:ident;)*) => {
        mod in_memory {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::BrokerBuilder::in_memory()).await;
                }
            )*
        }

        mod in_memory_with_faults {
            $(
                #[tokio::test]
                async fn $name() {
                    let faults = super::Faults::new();
                    super::$name(super::BrokerBuilder::in_memory_with(&faults)).await;
                }
            )*
        }

        mod rabbitmq {
            $(
                #[tokio::test]
                async fn $name() {
                    let url = super::Rabbit::shared().await.url();
                    super::$name(super::Broker::builder(url)).await;
                }
            )*
        }
    };
}

on_each_broker! {
    a_full_broker_refuses_a_call;
    a_call_may_wait_for_room;
    unavailable_still_says_what_a_full_broker_does;
    direct_reply_to_carries_replies;
    a_caller_is_announced;
    without_confirms_a_full_queue_is_unseen;
    without_confirms_a_missing_queue_still_shows;
}

/// A pair with one call in flight.
async fn occupied(
    builder: BrokerBuilder,
) -> (Pair, tokio::task::JoinHandle<Result<u32, CallError>>) {
    let pair = Pair::new(builder.max_in_flight(1).connect().await.unwrap()).await;
    let first = tokio::spawn(pair.client.wait(1));
    pair.inside.has_started(1).await;
    (pair, first)
}

async fn a_full_broker_refuses_a_call(builder: BrokerBuilder) {
    let (pair, first) = occupied(builder).await;
    let fault = refusal(pair.client.add(1, 2).await);
    assert_eq!((fault.kind(), fault.may_have_run()), (FaultKind::Overloaded, false));
    pair.inside.gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

async fn a_call_may_wait_for_room(builder: BrokerBuilder) {
    let (pair, first) = occupied(builder.when_full(WhenFull::Wait)).await;
    let impatient = pair.client.add(1, 2).timeout(Duration::from_millis(50)).await;
    assert_ended!(impatient, Err(CallError::DeadlineExceeded { may_have_run: false }));
    let second = tokio::spawn(pair.client.add(1, 2));
    pair.inside.gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(second.await.unwrap().unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

async fn unavailable_still_says_what_a_full_broker_does(builder: BrokerBuilder) {
    let (pair, first) = occupied(builder.clone().when_full(Unavailable::Wait)).await;
    let second = tokio::spawn(pair.client.add(1, 2));
    pair.inside.gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(second.await.unwrap().unwrap(), 3);
    pair.server.shutdown().await.unwrap();

    let (pair, first) = occupied(builder.when_full(Unavailable::Fail)).await;
    assert_eq!(refusal(pair.client.add(1, 2).await).kind(), FaultKind::Overloaded);
    pair.inside.gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap(), 1);
    pair.server.shutdown().await.unwrap();
}

async fn direct_reply_to_carries_replies(builder: BrokerBuilder) {
    let pair = Pair::new(builder.direct_reply_to(true).connect().await.unwrap()).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    pair.server.shutdown().await.unwrap();
}

#[rpc_service]
trait Mirror {
    async fn caller(&self) -> Option<String>;
}

struct Plain;

impl Mirror for Plain {
    async fn caller(&self) -> Option<String> {
        Context::current()?.caller().map(str::to_owned)
    }
}

async fn a_caller_is_announced(builder: BrokerBuilder) {
    let (name, broker) = (unique("mirror"), builder.announce_user().connect().await.unwrap());
    let server = Server::builder(&broker).service_on(queue(&name), MirrorServer::new(Plain));
    let server = server.start().await.unwrap();
    let client = MirrorClient::builder(&broker).queue(&name).build();
    assert_eq!(client.caller().await.unwrap().as_deref(), Some("guest"));
    server.shutdown().await.unwrap();
}

async fn without_confirms_a_full_queue_is_unseen(builder: BrokerBuilder) {
    let broker = builder.confirms(false).connect().await.unwrap();
    let (name, inside) = (unique("unseen"), Inside::new());
    let full = queue(&name).max_length(1).overflow(Overflow::RejectPublish);
    let server = Server::builder(&broker)
        .service_on(full, SampleServer::new(inside.clone()))
        .concurrency(1)
        .start()
        .await
        .unwrap();
    let client = SampleClient::builder(&broker).queue(&name).build();
    let first = tokio::spawn(client.wait(1));
    inside.has_started(1).await;
    client.wait(2).send().await.unwrap();
    eventually_async("one waits", SOON, async || {
        let state = broker.queue_state(&name).await.unwrap();
        state.is_some_and(|state| state.messages == 1).then_some(())
    })
    .await;
    let ended = client.add(1, 2).timeout(Duration::from_millis(50)).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: true }));
    inside.gate.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap(), 1);
    server.shutdown().await.unwrap();
}

async fn without_confirms_a_missing_queue_still_shows(builder: BrokerBuilder) {
    let broker = builder.confirms(false).connect().await.unwrap();
    let client = SampleClient::builder(&broker).queue(unique("missing")).build();
    assert_ended!(client.add(1, 2).await, Err(CallError::NoServer));
    client.note("nobody reads it".into()).await.unwrap();
}

#[tokio::test]
async fn an_exchange_routes_in_memory() {
    let broker = BrokerBuilder::in_memory().exchange("rpc").connect().await.unwrap();
    let early = SampleClient::builder(&broker).queue("early").build();
    assert_ended!(early.add(1, 2).await, Err(CallError::NoServer));
    let pair = Pair::new(broker).await;
    // As with RabbitMQ, the exchange is looked for again after a pause.
    let added =
        eventually_async("the exchange is found", SOON, async || pair.client.add(1, 2).await.ok());
    assert_eq!(added.await, 3);
    let elsewhere = SampleClient::builder(&pair.broker).queue("elsewhere").build();
    assert_ended!(elsewhere.add(1, 2).await, Err(CallError::NoServer));
    pair.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn each_connect_makes_another_broker() {
    let builder = BrokerBuilder::in_memory();
    let pair = Pair::new(builder.clone().connect().await.unwrap()).await;
    let other = builder.connect().await.unwrap();
    assert!(other.queue_state(&pair.queue).await.unwrap().is_none());
    pair.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn options_hold_for_other_users() {
    let broker = BrokerBuilder::in_memory().max_in_flight(1).connect().await.unwrap();
    let pair = Pair::new(broker).await;
    let ada = pair.broker.as_user("ada").unwrap();
    let client = SampleClient::builder(&ada).queue(&pair.queue).build();
    let first = tokio::spawn(client.wait(1));
    pair.inside.has_started(1).await;
    assert_eq!(refusal(client.add(1, 2).await).kind(), FaultKind::Overloaded);
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3, "each user has a connection of its own");
    pair.inside.gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap(), 1);
    pair.server.shutdown().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn injected_outages_end_calls_that_do_not_wait() {
    let faults = Faults::new();
    let builder = BrokerBuilder::in_memory_with(&faults).when_unavailable(Unavailable::Fail);
    let pair = Pair::new(builder.connect().await.unwrap()).await;
    faults.refuse_connections();
    faults.lose_connection();
    let mut changes = pair.broker.status_changes();
    while !matches!(changes.next().await, Some(rpc_runtime::BrokerStatus::Connecting)) {}
    assert_ended!(
        pair.client.add(1, 2).await,
        Err(CallError::ConnectionLost { may_have_run: false })
    );
    faults.accept_connections();
    while !matches!(changes.next().await, Some(rpc_runtime::BrokerStatus::Connected)) {}
    pair.server.shutdown().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_given_up() {
    let faults = Faults::new();
    faults.refuse_connections();
    let builder = BrokerBuilder::in_memory_with(&faults);
    let error = builder.clone().max_attempts(2).connect().await.unwrap_err();
    assert!(error.to_string().contains("in-memory"), "{error}");
    let before = tokio::time::Instant::now();
    let patient = builder.clone().wait_for_broker(Duration::from_secs(600)).connect();
    let accepting = async {
        tokio::time::sleep(Duration::from_secs(300)).await;
        faults.accept_connections();
    };
    let (connected, ()) = tokio::join!(patient, accepting);
    connected.unwrap();
    assert!(before.elapsed() >= Duration::from_secs(300));
}
