//! Servers of other services on the queues of this one: requests of both go to either, and each refuses those of the other.
//!
//! A queue does not say who consumes it, so other servers are asked, and only where the queue has consumers that the servers of
//! the same service do not account for. That takes a while, and some servers cannot be asked: so it is done after the
//! start, and ends in a warning and not in an error.

use std::sync::Arc;

use tokio::time::timeout;
use tracing::{debug, warn};

use super::instance::Instance;
use crate::{
    connection::Access,
    discovery::{Discovery, InstanceInfo},
    error::BrokerError,
    escape::Escaped,
    limits,
};

/// Looks once at each queue of a server that has just started, and warns if another service is served there.
pub(super) async fn warn_of_others(access: Arc<Access>, instance: Arc<Instance>) {
    for (service, queue) in instance.served() {
        match other(&access, service, queue).await {
            Ok(Some((other, of))) => warn!(
                service,
                queue,
                other_service = %Escaped::new(other),
                other_instance = %Escaped::new(&of.instance),
                other_host = %Escaped::new(&of.host),
                "another service is served on the same queue: each gets requests of the other and refuses them; give one \
                 of them a queue of its own with `service_on`"
            ),
            Ok(None) => {}
            Err(error) => {
                debug!(service, queue, %error, "cannot find out who else consumes the queue");
            }
        }
    }
}

/// A service of another name on this queue, and a server of it.
async fn other(
    access: &Arc<Access>,
    service: &str,
    queue: &str,
) -> Result<Option<(String, InstanceInfo)>, BrokerError> {
    let looked = timeout(limits::QUEUE_STATE_WITHIN, access.queue_state(queue)).await;
    let consumers = match looked {
        Ok(state) => state?.map_or(0, |state| state.consumers),
        Err(_) => return Ok(None),
    };
    if consumers <= 1 {
        debug!(service, queue, "nobody else consumes the queue");
        return Ok(None);
    }
    let same = Discovery::over(access.clone()).service(service).info().await?;
    debug!(service, queue, consumers, "asked who else consumes the queue");
    if serving(&same, service, queue) >= consumers as usize {
        return Ok(None);
    }
    let all = Discovery::over(access.clone()).info().await?;
    Ok(all.into_iter().find_map(|instance| Some((stranger(&instance, service, queue)?, instance))))
}

/// How many of these servers serve the service on this queue.
fn serving(instances: &[InstanceInfo], service: &str, queue: &str) -> usize {
    let serves = |instance: &&InstanceInfo| {
        instance.services.iter().any(|known| known.name == service && known.queue == queue)
    };
    instances.iter().filter(serves).count()
}

/// The other service that this server has on the queue.
fn stranger(instance: &InstanceInfo, service: &str, queue: &str) -> Option<String> {
    let mut services = instance.services.iter();
    services.find(|known| known.queue == queue && known.name != service).map(|it| it.name.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn instance(services: &[(&str, &str)]) -> InstanceInfo {
        let services: Vec<_> =
            services.iter().map(|(name, queue)| json!({"name": name, "queue": queue})).collect();
        serde_json::from_value(json!({"instance": "i", "services": services})).unwrap()
    }

    #[test]
    fn servers_of_the_same_service_and_queue_count() {
        let servers = [
            instance(&[("Orders", "orders"), ("Bills", "bills")]),
            instance(&[("Orders", "elsewhere")]),
            instance(&[("Orders", "orders")]),
        ];
        assert_eq!(serving(&servers, "Orders", "orders"), 2);
    }

    #[test]
    fn another_service_on_the_queue_is_a_stranger() {
        let server = instance(&[("Bills", "bills"), ("Parcels", "orders")]);
        assert_eq!(stranger(&server, "Orders", "orders").as_deref(), Some("Parcels"));
        assert_eq!(stranger(&server, "Bills", "bills"), None);
    }
}
