//! Finds services, and reports when there are none.

use std::collections::BTreeMap;

use rpc_runtime::{
    Broker,
    discovery::{Discovery, InstanceInfo, MethodInfo, ServiceInfo},
};

use crate::{
    cli::{Chosen, Global},
    duration,
    failure::{Failure, Kind},
    near::near,
    show::{short, warning},
};

/// A service, and the servers that serve it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) service: ServiceInfo,
    pub(crate) instances: Vec<InstanceInfo>,
    /// The points in which the servers differ.
    pub(crate) differences: Vec<String>,
}

/// The service of this name, as its servers describe it.
pub(crate) async fn service(
    broker: &Broker,
    global: &Global,
    name: &str,
) -> Result<Found, Failure> {
    let asking = Discovery::new(broker).timeout(global.wait);
    let instances = asking.clone().service(name).info().await?;
    note_dropped(&asking);
    let described = |instance: &InstanceInfo| {
        instance.services.iter().find(|service| service.name == name).cloned()
    };
    let mut descriptions = instances.iter().filter_map(described);
    let Some(service) = descriptions.next() else {
        return Err(unknown_service(&asking, global, name).await);
    };
    let differences = differences(&service, descriptions);
    Ok(Found { service, instances, differences })
}

/// A queue and exchange for requests, and the servers that name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) queue: String,
    pub(crate) exchange: String,
    pub(crate) instances: Vec<String>,
}

/// The queues and exchanges that servers name for this service. They are not authenticated, so a person has to choose if
/// they differ.
pub(crate) fn claims(instances: &[InstanceInfo], name: &str) -> Vec<Claim> {
    let mut claims: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for instance in instances {
        for service in instance.services.iter().filter(|service| service.name == name) {
            let by = claims.entry((&service.queue, &service.exchange)).or_default();
            by.push(format!("{} on {:?}", short(&instance.instance), instance.host));
        }
    }
    let claim = |((queue, exchange), instances): ((&str, &str), _)| Claim {
        queue: queue.to_owned(),
        exchange: exchange.to_owned(),
        instances,
    };
    claims.into_iter().map(claim).collect()
}

impl Claim {
    /// `the queue "sums" (0b6ec1aa on "worker-3")`.
    pub(crate) fn show(&self) -> String {
        /// Most servers that are listed.
        const MOST: usize = 3;
        let mut by: Vec<String> = self.instances.iter().take(MOST).cloned().collect();
        let others = self.instances.len().saturating_sub(MOST);
        by.extend((others > 0).then(|| format!("{others} more")));
        let exchange = match self.exchange.as_str() {
            "" => String::new(),
            exchange => format!(" by the exchange {exchange:?}"),
        };
        format!("the queue {:?}{exchange} ({})", self.queue, by.join(", "))
    }
}

/// Warns that answers were dropped.
pub(crate) fn note_dropped(asking: &Discovery) {
    let dropped = asking.dropped();
    if dropped > 0 {
        warning(&format!(
            "{dropped} answers were dropped: too large, too many, too late or none that can be read; \
             ask for one service, or wait longer with --wait"
        ));
    }
}

/// The failure for a service without a server, with similar names.
async fn unknown_service(asking: &Discovery, global: &Global, name: &str) -> Failure {
    let failure = Failure::new(
        Kind::NoServer,
        format!("no server of {name:?} answered within {}", duration::show(global.wait)),
    );
    let others = asking.ping().await.unwrap_or_default();
    let others: Vec<String> = others.into_iter().flat_map(|ping| ping.services).collect();
    failure.remedy(match &near(name, others.iter().map(String::as_str))[..] {
        [] => "`rpc ls` lists the services that are there".to_owned(),
        names => format!("did you mean {}? `rpc ls` lists all services", names.join(" or ")),
    })
}

/// The failure for a method that the service does not have.
pub(crate) fn unknown_method(service: &ServiceInfo, name: &str) -> Failure {
    let known: Vec<&str> = service.methods.iter().map(|method| method.name.as_str()).collect();
    let failure = Failure::new(Kind::Error, format!("{} has no method {name:?}", service.name));
    failure.remedy(match &near(name, known.iter().copied())[..] {
        [] => format!("its methods are {}", known.join(", ")),
        names => {
            format!("did you mean {}? `rpc info {}` lists all", names.join(" or "), service.name)
        }
    })
}

/// The failure when no server answered.
pub(crate) fn no_answer(global: &Global, chosen: Option<&str>) -> Failure {
    let who = chosen.map_or("no server".to_owned(), |name| format!("no server of {name:?}"));
    let waited = duration::show(global.wait);
    Failure::new(Kind::NoServer, format!("{who} answered within {waited}"))
        .remedy("is one running, on this virtual host? a busy one may take longer: see --wait")
}

impl Chosen {
    /// Whether the server with this instance was chosen.
    pub(crate) fn includes(&self, instance: &str) -> bool {
        self.instance.as_deref().is_none_or(|prefix| instance.starts_with(prefix))
    }
}

fn differences(first: &ServiceInfo, others: impl Iterator<Item = ServiceInfo>) -> Vec<String> {
    let mut differ = Vec::new();
    let mut note = |what: String| {
        if !differ.contains(&what) {
            differ.push(what);
        }
    };
    let ours = shapes(first);
    for other in others {
        if other.queue != first.queue {
            note(format!("the queue ({} and {})", first.queue, other.queue));
        }
        if other.exchange != first.exchange {
            note(format!("the exchange ({:?} and {:?})", first.exchange, other.exchange));
        }
        let theirs = shapes(&other);
        for method in first.methods.iter().chain(&other.methods) {
            let name = method.name.as_str();
            if ours.get(name) != theirs.get(name) {
                note(name.to_owned());
            }
        }
    }
    differ
}

fn shapes(service: &ServiceInfo) -> BTreeMap<&str, String> {
    service.methods.iter().rev().map(|method| (method.name.as_str(), shape(method))).collect()
}

fn shape(method: &MethodInfo) -> String {
    format!("{} {}", method.signature, crate::show::signature(method))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_name_their_servers() {
        let instance = |id: &str, queue: &str, exchange: &str| -> InstanceInfo {
            let service = json!({"name": "S", "queue": queue, "exchange": exchange});
            let other = json!({"name": "T", "queue": "other"});
            let info = json!({"instance": id, "host": "h\n", "services": [service, other]});
            serde_json::from_value(info).unwrap()
        };
        let instances = [
            instance("0123456789", "S", ""),
            instance("a", "evil", ""),
            instance("b", "S", ""),
            instance("c", "S", "rpc"),
        ];
        let shown: Vec<String> = claims(&instances, "S").iter().map(Claim::show).collect();
        assert_eq!(
            shown,
            [
                r#"the queue "S" (01234567 on "h\n", b on "h\n")"#,
                r#"the queue "S" by the exchange "rpc" (c on "h\n")"#,
                r#"the queue "evil" (a on "h\n")"#,
            ]
        );
    }
}
