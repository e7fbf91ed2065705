//! Messages that could crash a process or block every server.

use std::time::Duration;

use rpc_runtime::{Broker, BrokerErrorKind, Server};
use rpc_tests::{Peer, Python, QueueSpec, Rabbit, eventually, unique};
use tokio::{io::AsyncReadExt as _, net::TcpListener, runtime::Handle};

use crate::brokers::{Inside, Pair, SOON, SampleServer, queue, rabbitmq};

/// Enough to overflow the stack of a recursive reader.
const DEPTH: &str = "4000";

#[tokio::test]
async fn hostile_headers_are_refused() {
    let url = Rabbit::shared().await.url();
    let (name, inside) = (unique("hostile"), Inside::new());
    let server = Server::builder(&rabbitmq().await)
        .service_on(queue(&name), SampleServer::new(inside))
        .start()
        .await
        .unwrap();
    let peer = Peer::connect(url).await.unwrap();
    let callback = peer.declare(QueueSpec::named("").exclusive()).await.unwrap().name;

    let sender = Python::find().start("hostile.py", &[url, &name, &callback, DEPTH]);
    assert_eq!(sender.success(SOON).await, "sent");
    let mut answers = Vec::new();
    for _ in 0..3 {
        let reply = peer.get(&callback, SOON).await.unwrap().expect("every request is answered");
        answers.push((reply.correlation_id.clone().unwrap(), reply.kind.clone().unwrap()));
        if reply.correlation_id.as_deref() == Some("deep") {
            assert_eq!(reply.header("rpc-fault"), "malformed-request");
        }
    }
    answers.sort();
    let expected = [("deep", "fault"), ("name", "result"), (r"not \xff\xfe text", "result")];
    assert_eq!(answers, expected.map(|(id, kind)| (id.to_owned(), kind.to_owned())));
    assert_eq!(peer.queue(&name).await.unwrap().messages, 0);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_hostile_reply_does_not_end_its_caller() {
    let pair = Pair::new(rabbitmq().await).await;
    let url = Rabbit::shared().await.url();
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    // Every server learns the name of the callback queue from a request, and so does this peer.
    let peer = Peer::connect(url).await.unwrap();
    let spy = unique("spy");
    peer.declare(QueueSpec::named(&spy).classic()).await.unwrap();
    let client = crate::brokers::SampleClient::builder(&pair.broker).queue(&spy).build();
    let call = tokio::spawn(client.add(1, 2));
    let request = peer.get(&spy, SOON).await.unwrap().expect("the request");
    let callback = request.reply_to.unwrap();
    let sender = Python::find().start("hostile.py", &[url, &callback, "nobody", DEPTH]);
    assert_eq!(sender.success(SOON).await, "sent");
    let broker = &pair.broker;
    eventually("they were dropped", SOON, || (broker.unclaimed_replies() == 3).then_some(())).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    call.abort();
    peer.delete(&spy).await.unwrap();
    pair.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_broker_that_stays_silent_leaves_nothing_behind() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("amqp://127.0.0.1:{}/%2f", listener.local_addr().unwrap().port());
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let attempt = Broker::builder(&address).connect_timeout(Duration::from_millis(500)).connect();
    let (error, silence) = tokio::join!(attempt, async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut received = Vec::new();
        // Until the other end closes.
        socket.read_to_end(&mut received).await.unwrap();
        received
    });
    assert_eq!(error.unwrap_err().kind(), BrokerErrorKind::Unreachable);
    assert_eq!(silence, b"AMQP\x00\x00\x09\x01");
    eventually("its tasks end", SOON, || (tasks() == before).then_some(())).await;
}
