//! Finds servers of other services on the queues of this one. Requests of both services go to either server, and each
//! refuses the other's requests.
//!
//! A queue does not name its consumers, so other servers are asked through discovery. They are asked only if the
//! queue has more consumers than servers of the same service explain. This takes a while, and some servers cannot be
//! asked. So it runs after the start, and its result is a warning and not an error.

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

/// Checks each queue of a newly started server once, and warns if another service is served there.
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

/// Another service on this queue, and a server of it.
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
