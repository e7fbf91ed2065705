//! A runtime that is blocked, because a method blocks its only thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use rpc_runtime::{Broker, CallError, Server, rpc_service};
use rpc_tests::{Rabbit, eventually, unique};
use tracing::Level;

use crate::{brokers::queue, logs::Log};

/// Longer than RabbitMQ waits for a heartbeat.
const FAR_TOO_LONG: Duration = Duration::from_secs(6);

#[rpc_service]
trait Press {
    #[rpc(oneway)]
    async fn press(&self);
}

#[derive(Clone, Default)]
struct Heavy(Arc<AtomicU32>);

impl Press for Heavy {
    async fn press(&self) {
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            // Like a computing method that is not marked `blocking`.
            thread::sleep(FAR_TOO_LONG);
        }
    }
}

#[tokio::test]
async fn a_blocked_runtime_is_logged() {
    let (log, _guard) = Log::gather(Level::INFO);
    let url = Rabbit::shared().await.url();
    let builder = Broker::builder(url).heartbeat(Duration::from_secs(1));
    let broker = builder.connect().await.unwrap();
    let (name, heavy) = (unique("press"), Heavy::default());
    let server = Server::builder(&broker)
        .service_on(queue(&name), PressServer::new(heavy.clone()))
        .start()
        .await
        .unwrap();
    // The confirmation may arrive before the handler blocks the thread, or be lost with the connection.
    let sent = PressClient::builder(&broker).queue(&name).build().press().await;
    assert!(sent.as_ref().err().is_none_or(CallError::may_have_run), "{sent:?}");

    let again = || (heavy.0.load(Ordering::SeqCst) == 2).then_some(());
    eventually("the request runs again", Duration::from_secs(30), again).await;
    let stall = log.line(&["the runtime of the connection stood still"]).await;
    assert!(stall.contains("WARN") && stall.contains("#[rpc(blocking)]"), "{stall}");
    let lost = log.line(&["connection lost"]).await;
    assert!(lost.contains("stood still for"), "the loss names its cause: {lost}");
    server.shutdown().await.unwrap();
}
