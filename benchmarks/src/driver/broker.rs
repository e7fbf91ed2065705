//! The measured broker.

use std::collections::HashSet;
use std::time::Duration;

use rpc_tests::{Node, Rabbit, eventually_async};
use tokio::process::Command;

use crate::processor;

/// How long a server may take until it consumes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The broker at `AMQP_URL`, else a throwaway node.
pub(crate) struct Broker {
    rabbit: &'static Rabbit,
    process: Option<u32>,
}

/// The consumers at one time; `None` if they cannot be listed.
pub(crate) struct Consumers(Option<HashSet<String>>);

impl Broker {
    pub(crate) async fn start() -> Self {
        let rabbit = Rabbit::shared().await;
        let process = match rabbit.node() {
            Some(node) => node.eval("list_to_integer(os:getpid()).").await.parse().ok(),
            None => processor::listening(&address(rabbit.url())),
        };
        Self { rabbit, process }
    }

    /// Its process, if it is on this machine.
    pub(crate) fn process(&self) -> Option<u32> {
        self.process
    }

    /// Passes the broker's address to a program.
    pub(crate) fn pass_address(&self, command: &mut Command) {
        let url = self.rabbit.url();
        command.env("AMQP_URL", url).env("AMQP_ADDR", address(url));
    }

    pub(crate) async fn consumers(&self) -> Consumers {
        Consumers(match self.rabbit.node() {
            Some(node) => Some(consumers(node).await),
            None => None,
        })
    }

    /// Waits for a new consumer.
    pub(crate) async fn another_consumer(&self, before: Consumers) {
        match (self.rabbit.node(), before.0) {
            (Some(node), Some(before)) => {
                let another = async || (!consumers(node).await.is_subset(&before)).then_some(());
                eventually_async("the server consumes", PATIENCE, another).await;
            }
            // Without our own node the consumers cannot be listed, so wait for a fixed time.
            _ => tokio::time::sleep(Duration::from_secs(2)).await,
        }
    }
}

/// The process ids of consuming channels.
async fn consumers(node: &Node) -> HashSet<String> {
    let channels =
        "[proplists:get_value(channel_pid, C) || C <- rabbit_amqqueue:consumers_all(<<\"/\">>)].";
    let printed = node.eval(channels).await;
    let pids = printed.trim_matches(['[', ']']).split(',').map(|pid| pid.trim().to_owned());
    pids.filter(|pid| !pid.is_empty()).collect()
}

/// Host and port.
fn address(url: &str) -> String {
    let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or(url);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    // The colons of an IPv6 address are in brackets.
    let has_port = host.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
    if has_port { host.to_owned() } else { format!("{host}:5672") }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_is_host_and_port() {
        assert_eq!(address("amqp://guest:guest@127.0.0.1:5673/%2f"), "127.0.0.1:5673");
        assert_eq!(address("amqp://rabbit/"), "rabbit:5672");
        assert_eq!(address("amqp://guest:guest@[::1]"), "[::1]:5672");
        assert_eq!(address("amqp://[::1]:1234/%2f"), "[::1]:1234");
    }
}
