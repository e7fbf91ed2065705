//! Finding services, and saying so when there are none.

use rpc_runtime::{
    Broker,
    discovery::{Discovery, InstanceInfo, MethodInfo, ServiceInfo},
};

use crate::{
    cli::{Chosen, Global},
    duration,
    failure::{Failure, Kind},
    near::near,
};

/// A service, and the servers that serve it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) service: ServiceInfo,
    pub(crate) instances: Vec<InstanceInfo>,
    /// What the servers do not agree on.
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

/// Says that nobody serves it, and what is served instead.
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

/// Says that the service has no such method.
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

/// Nobody answered at all.
pub(crate) fn nobody(global: &Global, chosen: Option<&str>) -> Failure {
    let who = chosen.map_or("no server".to_owned(), |name| format!("no server of {name:?}"));
    let waited = duration::show(global.wait);
    Failure::new(Kind::NoServer, format!("{who} answered within {waited}"))
        .remedy("is one running, on this virtual host? a busy one may take longer: see --wait")
}

impl Chosen {
    /// Whether the server that calls itself so is one that is meant.
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
    for other in others {
        if other.queue != first.queue {
            note(format!("the queue ({} and {})", first.queue, other.queue));
        }
        let of = |service: &ServiceInfo, name: &str| -> Option<String> {
            let mut methods = service.methods.iter();
            methods.find(|method| method.name == name).map(shape)
        };
        for method in first.methods.iter().chain(&other.methods) {
            if of(first, &method.name) != of(&other, &method.name) {
                note(method.name.clone());
            }
        }
    }
    differ
}

fn shape(method: &MethodInfo) -> String {
    format!("{} {}", method.signature, crate::show::signature(method))
}
