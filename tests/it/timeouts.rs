//! Timeouts of callers. Time is paused, so these tests take no real time.

use std::time::Duration;

use rpc_runtime::{Broker, CallError, rpc_service};
use tokio::time::Instant;

use crate::brokers::assert_ended;

#[rpc_service]
trait Default {
    async fn wait(&self);
}

#[rpc_service(timeout = "3s")]
trait Service {
    async fn wait(&self);
    #[rpc(timeout = "1m30s")]
    async fn patient(&self);
}

/// Never replies.
struct Never;

impl Default for Never {
    async fn wait(&self) {
        std::future::pending::<()>().await;
    }
}

impl Service for Never {
    async fn wait(&self) {
        std::future::pending::<()>().await;
    }
    async fn patient(&self) {
        std::future::pending::<()>().await;
    }
}

/// How long a call without a reply waits.
async fn waits(call: rpc_runtime::Call<()>) -> Duration {
    let started = Instant::now();
    assert_ended!(call.await, Err(CallError::DeadlineExceeded { may_have_run: true }));
    let waited = started.elapsed();
    // tokio's timer counts in milliseconds.
    Duration::from_millis(u64::try_from(waited.as_millis()).unwrap() / 10 * 10)
}

#[tokio::test(start_paused = true)]
async fn the_default_timeout_is_ten_seconds() {
    let client = DefaultClient::new(&Broker::serving(DefaultServer::new(Never)));
    assert_eq!(waits(client.wait()).await, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn the_most_specific_timeout_counts() {
    let broker = Broker::serving(ServiceServer::new(Never));
    let client = ServiceClient::new(&broker);
    assert_eq!(waits(client.wait()).await, Duration::from_secs(3), "the service");
    assert_eq!(waits(client.patient()).await, Duration::from_secs(90), "the method");

    let client = ServiceClient::builder(&broker).timeout(Duration::from_secs(7)).build();
    assert_eq!(waits(client.patient()).await, Duration::from_secs(7), "the client");
    let call = client.patient().timeout(Duration::from_millis(500));
    assert_eq!(waits(call).await, Duration::from_millis(500), "the call");
    let call = client.patient().deadline(Instant::now() + Duration::from_secs(2));
    assert_eq!(waits(call).await, Duration::from_secs(2), "the call");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_sends_nothing() {
    let broker = Broker::serving(ServiceServer::new(Never));
    let client = ServiceClient::new(&broker);
    let ended = client.wait().timeout(Duration::ZERO).await;
    assert_ended!(ended, Err(CallError::DeadlineExceeded { may_have_run: false }));
}
