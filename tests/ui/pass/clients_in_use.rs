//! A client held in a struct, cloned, spawned, raced, and called from generic code.

use rpc_runtime::{Broker, rpc_service};

#[rpc_service]
pub trait Clock {
    async fn now(&self) -> u64;
    async fn wait(&self, seconds: u64) -> Result<(), String>;
}

#[derive(Debug, Clone)]
struct Dashboard {
    clock: ClockClient,
}

impl Dashboard {
    fn new(broker: &Broker) -> Self {
        Self { clock: ClockClient::new(broker) }
    }

    async fn race(&self) {
        let clock = self.clock.clone();
        let spawned = tokio::spawn(async move { clock.now().await });
        tokio::spawn(self.clock.wait(1));
        tokio::select! {
            _ = self.clock.now() => {}
            _ = self.clock.wait(2) => {}
            _ = spawned => {}
        }
        let _ = tokio::join!(self.clock.now(), self.clock.now());
        let calls: Vec<_> = (0..3).map(|seconds| self.clock.wait(seconds)).collect();
        for call in calls {
            let _ = call.await;
        }
    }
}

fn is_send<T: Send + 'static>(_: T) {}
fn is_sync<T: Sync>() {}

async fn through_the_trait(clock: impl Clock, other: &impl Clock) -> u64 {
    clock.now().await + other.now().await
}

struct Generic<C: Clock> {
    clock: C,
}

impl<C: Clock> Generic<C> {
    async fn twice(&self) -> u64 {
        self.clock.now().await * 2
    }
}

struct Fixed(u64);

impl Clock for Fixed {
    async fn now(&self) -> u64 {
        self.0
    }

    async fn wait(&self, _: u64) -> Result<(), String> {
        Err("no time".to_owned())
    }
}

fn checks(broker: &Broker) {
    is_sync::<ClockClient>();
    is_send(Dashboard::new(broker).clock.now());
    is_send(async {
        through_the_trait(Fixed(1), &Fixed(2)).await;
        Generic { clock: std::sync::Arc::new(Fixed(1)) }.twice().await
    });
    let broker = Dashboard::new(broker);
    is_send(async move { broker.race().await });
}

fn main() {
    let _ = checks;
}
