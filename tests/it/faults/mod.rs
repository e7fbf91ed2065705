//! The failure modes of docs/reliability.md and their promised behaviour.

mod callers_that_go;
mod cluster;
mod connecting;
mod injected_into_messages;
mod injected_losses;
mod limits;
mod losing_the_connection;
mod permissions;
mod queues;
mod runtimes_that_end;
mod servers_that_die;
mod single_messages;
mod standing_still;
mod storm;

#[path = "../../programs/ledger.rs"]
mod ledger;

use std::path::Path;
use std::time::Duration;

use rpc_runtime::{Broker, BrokerBuilder, BrokerStatus};
use rpc_tests::{Process, Rabbit, Relay, eventually};

use crate::brokers::SOON;

/// Calls in flight end within this time after a loss.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A relay to a broker, and the address of the broker through it.
async fn relay_to(url: &str) -> (Relay, String) {
    let (login, place) = url.rsplit_once('@').expect("an address with a login");
    let (host, vhost) = place.split_once('/').expect("an address with a virtual host");
    let relay = Relay::to(host).await;
    let through = format!("{login}@{}/{vhost}", relay.address());
    (relay, through)
}

/// A relay to the shared broker, and a builder of a broker through it.
async fn relayed() -> (Relay, BrokerBuilder) {
    let (relay, url) = relay_to(Rabbit::shared().await.url()).await;
    (relay, Broker::builder(&url).heartbeat(Duration::from_secs(1)))
}

async fn status(broker: &Broker, what: &str, is: impl Fn(&BrokerStatus) -> bool) {
    let what = format!("the status is {what}");
    eventually(&what, Duration::from_secs(30), || is(&broker.status()).then_some(())).await;
}

async fn is_connected(broker: &Broker) {
    status(broker, "connected", |status| matches!(status, BrokerStatus::Connected)).await;
}

async fn is_down(broker: &Broker) {
    status(broker, "connecting", |status| matches!(status, BrokerStatus::Connecting)).await;
}

/// A server in its own process, which dies at this failpoint, perhaps before it prints that it serves.
async fn starting_fault_server(arguments: &[&str], failpoint: Option<&str>) -> Process {
    let environment = failpoint.map(|place| ("RPC_FAILPOINT", place));
    Process::example_with("fault_server", arguments, environment.as_slice()).await
}

/// The same, and waits until it serves.
async fn fault_server(arguments: &[&str], failpoint: Option<&str>) -> Process {
    let server = starting_fault_server(arguments, failpoint).await;
    serves(&server).await;
    server
}

async fn serves(server: &Process) {
    server.line_with("serving", Duration::from_secs(30)).await;
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary directories have plain names")
}

/// Asserts that something does not happen for a time.
async fn nothing_happens_for(time: Duration, happened: impl Fn() -> bool) {
    let waited = tokio::time::timeout(time, async {
        while !happened() {
            tokio::time::sleep(SOON / 500).await;
        }
    });
    assert!(waited.await.is_err(), "it happened");
}
