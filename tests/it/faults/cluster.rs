//! Three nodes with a replicated queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rpc_runtime::{Broker, Queue, Server};
use rpc_tests::{Node, eventually, unique};

use tokio::time::sleep;

use crate::brokers::{Inside, SampleClient, SampleServer};

const A_MINUTE: Duration = Duration::from_secs(60);
/// Enough to see that calls succeed.
const SOME_CALLS: u32 = 50;

/// A broker with the addresses of all nodes, this one first.
async fn connect(urls: &[String], start: usize) -> Broker {
    let mut urls = urls.iter().cycle().skip(start).take(urls.len());
    let builder = Broker::builder(urls.next().expect("there are nodes"));
    urls.fold(builder, |builder, url| builder.address(url)).connect().await.unwrap()
}

/// Row 3, on a cluster: each node in turn is killed and restarted, and no call fails meanwhile.
#[tokio::test]
async fn calls_succeed_while_cluster_nodes_are_killed() {
    let first = Node::start().await;
    let beside = || Node::builder().beside(&first).start();
    let (second, third) = tokio::join!(beside(), beside());
    second.join(&first).await;
    third.join(&first).await;
    let nodes = [first, second, third];

    let urls: Vec<String> = nodes.iter().map(Node::url).collect();
    let (name, inside) = (unique("cluster"), Inside::new());
    let mut servers = Vec::new();
    // At first one on each node.
    for start in 0..nodes.len() {
        let server = Server::builder(&connect(&urls, start).await)
            .service_on(Queue::named(&name).quorum(), SampleServer::new(inside.clone()))
            .start()
            .await
            .unwrap();
        servers.push(server);
    }
    for node in &nodes {
        node.settle().await;
    }

    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let mut lanes = Vec::new();
    for start in 0..nodes.len() {
        let client = SampleClient::builder(&connect(&urls, start).await).queue(&name).build();
        let (stop, answered) = (stop.clone(), answered.clone());
        lanes.push(tokio::spawn(async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                match client.add(n, 1).idempotent().timeout(A_MINUTE).await {
                    Ok(sum) => {
                        assert_eq!(sum, n + 1);
                        answered.fetch_add(1, Ordering::Relaxed);
                        n += 1;
                    }
                    // A queue whose leader was on that node accepts nothing until it has a new leader.
                    Err(error) => {
                        assert!(error.is_retryable(), "{error:?}");
                        sleep(Duration::from_millis(200)).await;
                    }
                }
            }
        }));
    }
    let go_on = async |what: &str| {
        let enough = answered.load(Ordering::Relaxed) + SOME_CALLS;
        let done = || (answered.load(Ordering::Relaxed) >= enough).then_some(());
        eventually(what, A_MINUTE, done).await;
    };
    go_on("calls are answered").await;
    for node in &nodes {
        node.kill9();
        go_on("calls are answered without the node").await;
        node.restart().await;
        go_on("calls are answered with it again").await;
    }
    stop.store(true, Ordering::Relaxed);
    for lane in lanes {
        lane.await.expect("every call of the lane was answered");
    }
    for server in servers {
        server.shutdown().await.unwrap();
    }
}
