//! Servers in their own processes that die or get SIGTERM.

use std::time::Duration;

use rpc_runtime::{Broker, CallError, FaultKind};
use rpc_tests::{Peer, QueueSpec, Rabbit, eventually, eventually_async, unique};
use tokio::time::timeout;

use super::ledger::{LedgerClient, runs};
use super::{serves, starting_fault_server, text};
use crate::brokers::{SOON, assert_ended, rabbitmq, refusal};

const A_MINUTE: Duration = Duration::from_secs(60);

/// A queue of the ledger, a client, and the directory where its servers record their runs.
struct Ledger {
    broker: Broker,
    queue: String,
    client: LedgerClient,
    directory: tempfile::TempDir,
}

impl Ledger {
    async fn new() -> Self {
        let (broker, queue) = (rabbitmq().await, unique("ledger"));
        let client = LedgerClient::builder(&broker).queue(&queue).timeout(A_MINUTE).build();
        Self { broker, queue, client, directory: tempfile::tempdir().unwrap() }
    }

    async fn server(&self, failpoint: Option<&str>) -> rpc_tests::Process {
        self.server_with(&["20"], failpoint).await
    }

    async fn server_with(&self, rest: &[&str], failpoint: Option<&str>) -> rpc_tests::Process {
        let server = self.starting(rest, failpoint).await;
        serves(&server).await;
        server
    }

    /// Starts a server that may die of a request before it prints that it serves.
    async fn starting(&self, rest: &[&str], failpoint: Option<&str>) -> rpc_tests::Process {
        let url = Rabbit::shared().await.url();
        let arguments = [&[url, &self.queue, text(self.directory.path())], rest].concat();
        starting_fault_server(&arguments, failpoint).await
    }

    fn runs_of(&self, id: u64) -> usize {
        runs(self.directory.path()).into_iter().filter(|run| *run == id).count()
    }
}

/// Row 6.
#[tokio::test]
async fn an_unacknowledged_request_runs_again() {
    let ledger = Ledger::new().await;
    let mut dying = ledger.server(Some("before-acknowledging")).await;
    let first = timeout(SOON, ledger.client.plain(1)).await.unwrap().unwrap();
    assert!(!first.redelivered);
    assert!(!dying.wait(SOON).await.success());
    let _healthy = ledger.server(None).await;
    let dropped = || (ledger.broker.unclaimed_replies() == 1).then_some(());
    eventually("the second reply came and was dropped", SOON, dropped).await;
    assert_eq!(ledger.runs_of(1), 2);
}

/// Row 6, with `at_most_once`: the request does not run again, and its reply has arrived.
#[tokio::test]
async fn at_most_once_survives_a_dead_server() {
    let ledger = Ledger::new().await;
    let mut dying = ledger.server(Some("before-acknowledging")).await;
    timeout(SOON, ledger.client.once(1)).await.unwrap().unwrap();
    assert!(!dying.wait(SOON).await.success());
    let _healthy = ledger.server(None).await;
    let dropped = || (ledger.broker.unclaimed_replies() == 1).then_some(());
    eventually("a second reply with the fault was dropped", SOON, dropped).await;
    assert_eq!(ledger.runs_of(1), 1);
}

/// Row 7.
#[tokio::test]
async fn another_server_replaces_a_dead_one() {
    let ledger = Ledger::new().await;
    let mut dying = ledger.server(Some("before-the-method")).await;
    let plain = tokio::spawn(ledger.client.plain(1));
    assert!(!dying.wait(SOON).await.success());
    let mut dying = ledger.starting(&["20"], Some("before-the-method")).await;
    let once = tokio::spawn(ledger.client.once(2));
    assert!(!dying.wait(SOON).await.success());

    let _healthy = ledger.server(None).await;
    let run = timeout(SOON, plain).await.unwrap().unwrap().unwrap();
    assert!(run.redelivered);
    let ended = timeout(SOON, once).await.unwrap().unwrap();
    // The progress of the dead server is unknown.
    assert_ended!(ended, Ok(_) | Err(CallError::Refused(_)));
    if ended.is_err() {
        let fault = refusal(ended);
        assert_eq!((fault.kind(), fault.may_have_run()), (FaultKind::OutcomeUnknown, true));
    }
    assert_eq!(ledger.client.plain(3).await.unwrap().id, 3);
}

/// Row 13: a quorum queue drops a request that kills each server.
#[tokio::test]
async fn a_quorum_queue_drops_a_deadly_request() {
    let ledger = Ledger::new().await;
    let quorum = ["20", "quorum", "2"];
    let mut dying = ledger.server_with(&quorum, Some("before-the-method")).await;
    let poison = tokio::spawn(ledger.client.plain(1));
    assert!(!dying.wait(SOON).await.success());
    for _ in 0..2 {
        let mut dying = ledger.starting(&quorum, Some("before-the-method")).await;
        assert!(!dying.wait(SOON).await.success(), "it was delivered again");
    }
    let _healthy = ledger.server_with(&quorum, None).await;
    assert_eq!(timeout(SOON, ledger.client.plain(2)).await.unwrap().unwrap().id, 2);
    let peer = Peer::connect(Rabbit::shared().await.url()).await.unwrap();
    let left = peer.declare(QueueSpec::named(&ledger.queue).passive()).await.unwrap().messages;
    assert_eq!((left, ledger.runs_of(1)), (0, 0), "no server got it again");
    poison.abort();
    peer.delete(&ledger.queue).await.unwrap();
}

/// Row 24.
#[tokio::test]
async fn sigterm_under_load_loses_nothing() {
    const AT_A_TIME: u64 = 40;
    let ledger = Ledger::new().await;
    let mut ending = ledger.server(None).await;
    let _staying = ledger.server(None).await;
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let lanes = (0..AT_A_TIME).map(|lane| {
        let (client, stop) = (ledger.client.clone(), stop.clone());
        tokio::spawn(async move {
            let mut made = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let id = (lane << 32) | made;
                match client.plain(id).await {
                    Ok(run) => assert_eq!(run.id, id),
                    Err(error) => panic!("call {id}: {error:?}"),
                }
                made += 1;
            }
            made
        })
    });
    let lanes: Vec<_> = lanes.collect();
    eventually_async("it is busy", SOON, async || {
        (runs(ledger.directory.path()).len() > 200).then_some(())
    })
    .await;
    ending.terminate();
    assert!(ending.wait(SOON).await.success(), "{:?}", ending.lines());
    let done = runs(ledger.directory.path()).len();
    eventually_async("the other goes on", SOON, async || {
        (runs(ledger.directory.path()).len() > done + 100).then_some(())
    })
    .await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut made = 0;
    for lane in lanes {
        made += lane.await.unwrap();
    }
    assert_eq!(runs(ledger.directory.path()).len() as u64, made, "each ran exactly once");
}
