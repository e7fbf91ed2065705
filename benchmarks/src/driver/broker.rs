//! The broker under measurement.

use std::time::Duration;

use rpc_tests::{Rabbit, eventually_async};
use tokio::process::Command;

/// The one at `AMQP_URL`, else a throwaway node.
pub(crate) struct Broker {
    rabbit: &'static Rabbit,
    process: Option<u32>,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        let rabbit = Rabbit::shared().await;
        let process = match rabbit.node() {
            Some(node) => node.eval("list_to_integer(os:getpid()).").await.parse().ok(),
            None => None,
        };
        Self { rabbit, process }
    }

    /// Its process, if that is on this machine and known.
    pub(crate) fn process(&self) -> Option<u32> {
        self.process
    }

    /// Tells a program where it is.
    pub(crate) fn tell(&self, command: &mut Command) {
        let url = self.rabbit.url();
        let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
        let address = authority.map(|authority| authority.rsplit('@').next().unwrap_or(authority));
        command.env("AMQP_URL", url).env("AMQP_ADDR", address.unwrap_or_default());
    }

    /// How many consumers there are, where the node can be asked.
    pub(crate) async fn consumers(&self) -> Option<usize> {
        let node = self.rabbit.node()?;
        node.eval("length(rabbit_amqqueue:consumers_all(<<\"/\">>)).").await.parse().ok()
    }

    /// Waits until one more consumes than did.
    pub(crate) async fn consumer_after(&self, before: Option<usize>) {
        let Some(before) = before else {
            // Nobody can be asked.
            tokio::time::sleep(Duration::from_secs(1)).await;
            return;
        };
        let more = async || self.consumers().await.filter(|now| *now > before);
        eventually_async("the server consumes", Duration::from_secs(30), more).await;
    }
}
