//! What would end a process, or keep every server from serving, if it got through.

use std::{fs, time::Duration};

use rpc_runtime::{Broker, Server};
use rpc_tests::{Peer, Python, QueueSpec, Rabbit, eventually, unique};
use tokio::net::TcpListener;

use crate::brokers::{Inside, Pair, SOON, SampleServer, queue, rabbitmq};

/// Enough to overflow the stack of a thread that reads it by recursion.
const DEPTH: &str = "4000";

#[tokio::test]
async fn headers_nested_thousands_deep_and_strings_that_are_no_text_are_refused() {
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
    let expected = [("deep", "fault"), ("name", "result"), ("not ?? text", "result")];
    assert_eq!(answers, expected.map(|(id, kind)| (id.to_owned(), kind.to_owned())));
    assert_eq!(peer.queue(&name).await.unwrap().messages, 0);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_hostile_reply_does_not_end_its_caller() {
    let pair = Pair::new(rabbitmq().await).await;
    let url = Rabbit::shared().await.url();
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    // Any peer that was ever called knows the name of the callback queue: here it is learnt from a request.
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

/// How many threads of this process are a connection's.
fn io_threads() -> usize {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let name = |thread: std::io::Result<fs::DirEntry>| {
        fs::read_to_string(thread.ok()?.path().join("comm")).ok()
    };
    threads.filter_map(name).filter(|name| name.contains("io-loop")).count()
}

/// In a process of its own, where no other test has connections.
#[test]
fn a_broker_that_stays_silent_leaves_no_thread_behind() {
    const ALONE: &str = "RPC_TEST_ALONE";
    let this = "hostile::a_broker_that_stays_silent_leaves_no_thread_behind";
    if std::env::var_os(ALONE).is_none() {
        let program = std::env::current_exe().unwrap();
        let run =
            std::process::Command::new(program).args([this, "--exact"]).env(ALONE, "1").output();
        let run = run.unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("amqp://127.0.0.1:{}/%2f", listener.local_addr().unwrap().port());
        let connect = || {
            let patience = Duration::from_millis(500);
            Broker::builder(&address).connect_timeout(patience).connect()
        };
        let attempts: Vec<_> = (0..3).map(|_| tokio::spawn(connect())).collect();
        eventually("they have begun", SOON, || (io_threads() == 3).then_some(())).await;
        for attempt in attempts {
            attempt.await.unwrap().unwrap_err();
        }
        eventually("the threads end", SOON, || (io_threads() == 0).then_some(())).await;
    });
}
