//! Prepares a call: finds the service and its queue, and checks the arguments.

use std::time::Duration;

use rpc_runtime::{
    Broker, CallError, FaultKind, QueueState, UntypedCall, UntypedClient, UntypedReply,
    discovery::{Discovery, ServiceInfo},
};
use tokio::time::timeout;

use crate::{
    arguments::{Written, not_known},
    cli::{Global, Target},
    duration,
    failure::{Failure, Kind, in_full},
    find,
};

/// Longest timeout accepted from an answer of discovery.
const MAX_CLAIMED_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// How long to wait for the state of a queue.
const LOOK_WITHIN: Duration = Duration::from_secs(1);

/// The timeout of a call if neither the user nor the servers set one.
const USUAL: Duration = Duration::from_secs(10);

/// The remedy where answers contradict each other.
const CHOOSE: &str = "`rpc info` shows the answer of each server; choose the queue with --queue, because answers are not authenticated";

/// A call that can be made, once or many times.
pub(super) struct Prepared {
    broker: Broker,
    target: Target,
    client: UntypedClient,
    queue: String,
    method: String,
    body: String,
    /// The description from its servers, if they were asked.
    service: Option<ServiceInfo>,
}

impl Prepared {
    /// Finds the service and its method. With a given queue, no server is asked.
    pub(super) async fn new(
        broker: &Broker,
        global: &Global,
        target: &Target,
    ) -> Result<Self, Failure> {
        let Some((name, method)) = target.method.rsplit_once('.') else {
            let failure = format!("{:?} names no method", target.method);
            let remedy = "write SERVICE.METHOD, such as Fibonacci.fib";
            return Err(Failure::new(Kind::Usage, failure).remedy(remedy));
        };
        let written = Written::read(&target.arguments).await?;
        if let Some(queue) = &target.queue
            && is_unconsumed(broker, queue).await
        {
            return Err(unconsumed(queue));
        }
        let service = match target.queue {
            Some(_) => None,
            None => described(broker, global, name, method).await?,
        };
        if service.is_none()
            && let Some(text) = written.plain_text()
        {
            return Err(undescribed(broker, target, name, method, text).await);
        }
        let known = service.iter().flat_map(|service| &service.methods);
        let body = written.body(known.into_iter().find(|known| known.name == method))?;
        let queue = match (&target.queue, &service) {
            (Some(queue), _) => queue,
            (None, Some(service)) => &service.queue,
            (None, None) => name,
        };
        Ok(Self {
            broker: broker.clone(),
            target: target.clone(),
            client: UntypedClient::new(broker, queue),
            queue: queue.to_owned(),
            method: method.to_owned(),
            body,
            service,
        })
    }

    /// A new call, not yet sent.
    pub(super) fn call(&self) -> UntypedCall {
        let mut call = self.client.call(&self.method, self.body.clone());
        call = call.timeout(self.timeout());
        for (name, value) in &self.target.header {
            call = call.header(name, value);
        }
        call
    }

    /// How long a call waits for its reply.
    fn timeout(&self) -> Duration {
        let of_method =
            self.service.as_ref().and_then(|service| claimed_timeout(service, &self.method));
        self.target.timeout.or(of_method).unwrap_or(USUAL)
    }

    /// Turns the error of a call into a failure with a remedy.
    pub(super) async fn explain(&self, error: CallError<UntypedReply>) -> Failure {
        let name = &self.target.method;
        match error {
            CallError::Application(error) => {
                Failure::new(Kind::Error, format!("{name} failed: {error}"))
            }
            CallError::NoServer => no_server(&format!("there is no queue {:?}", self.queue)),
            CallError::DeadlineExceeded { may_have_run } => self.late(may_have_run).await,
            CallError::Refused(fault) if fault.kind() == FaultKind::UnknownMethod => {
                match &self.service {
                    Some(service) => find::unknown_method(service, &self.method),
                    None => Failure::new(Kind::Error, fault.message()),
                }
            }
            CallError::Refused(fault) => {
                Failure::new(Kind::Error, format!("{name} was refused: {fault}"))
            }
            CallError::Panicked => {
                Failure::new(Kind::Error, format!("{name} panicked in the server"))
                    .remedy("the server's standard error has the reason")
            }
            CallError::Broker(error) => error.into(),
            CallError::ConnectionLost { .. } => Failure::new(Kind::Broker, in_full(&error)),
            other => Failure::new(Kind::Error, in_full(&other)),
        }
    }

    /// No reply came: either the queue has no consumer, or the method takes too long.
    async fn late(&self, may_have_run: bool) -> Failure {
        let ran = if may_have_run { "it may have run" } else { "it has not run" };
        if is_unconsumed(&self.broker, &self.queue).await {
            return no_server(&format!("nobody consumes the queue {:?} now; {ran}", self.queue));
        }
        let name = &self.target.method;
        let waited = duration::show(self.timeout());
        Failure::new(Kind::Timeout, format!("{name} did not answer within {waited}; {ran}"))
            .remedy("`rpc stats` shows whether requests wait; --timeout waits longer")
    }
}

/// The timeout of the method, as its servers describe it.
fn claimed_timeout(service: &ServiceInfo, method: &str) -> Option<Duration> {
    let method = service.methods.iter().find(|known| known.name == method)?;
    let claimed = method.timeout_ms.or(service.timeout_ms).map(Duration::from_millis);
    claimed.map(|claimed| claimed.min(MAX_CLAIMED_TIMEOUT))
}

/// The failure for an argument that is not JSON when no server described the method. A queue without consumers is the
/// better explanation, so it is checked first.
async fn undescribed(
    broker: &Broker,
    target: &Target,
    name: &str,
    method: &str,
    text: &str,
) -> Failure {
    let queue = target.queue.as_deref().unwrap_or(name);
    // A user without the right to see the queue may still call.
    match broker.queue_state(queue).await {
        Ok(None) => return no_server(&format!("there is no queue {queue:?}")),
        Ok(Some(state)) if state.consumers == 0 => return unconsumed(queue),
        _ => {}
    }
    let why = match target.queue {
        Some(_) => format!("with --queue no server is asked what {method} takes"),
        None => format!("no server described the arguments of {method}"),
    };
    not_known(text, &why)
}

/// Whether a queue exists and has no consumer. Does not wait long for a lost connection or a silent broker.
async fn is_unconsumed(broker: &Broker, queue: &str) -> bool {
    let looked = timeout(LOOK_WITHIN, broker.queue_state(queue)).await;
    matches!(looked, Ok(Ok(Some(QueueState { consumers: 0, .. }))))
}

fn unconsumed(queue: &str) -> Failure {
    no_server(&format!("nobody consumes the queue {queue:?}"))
}

fn no_server(because: &str) -> Failure {
    Failure::new(Kind::NoServer, format!("no server: {because}"))
        .remedy("`rpc ls` lists the services that are there")
}

/// The service as its servers describe it; `None` if no server answers.
///
/// Answers are not authenticated, and the arguments of the call go to the queue that they name. So all servers are asked,
/// and nothing is sent if the answers contradict each other.
async fn described(
    broker: &Broker,
    global: &Global,
    name: &str,
    method: &str,
) -> Result<Option<ServiceInfo>, Failure> {
    let asking = Discovery::new(broker).timeout(global.wait).service(name);
    // The servers may have discovery switched off, or this user may not use it. The call may work nevertheless.
    let instances = asking.info().await.unwrap_or_default();
    if asking.dropped() > 0 {
        let dropped = format!("{} answers about {name:?} could not be read", asking.dropped());
        return Err(Failure::new(Kind::Error, dropped).remedy(CHOOSE));
    }
    let claims = find::claims(&instances, name);
    let services = instances.into_iter().flat_map(|instance| instance.services);
    let Some(service) = services.into_iter().find(|service| service.name == name) else {
        return match broker.queue_state(name).await? {
            Some(state) if state.consumers == 0 => Err(unconsumed(name)),
            Some(_) => Ok(None),
            None => find::service(broker, global, name).await.map(|found| Some(found.service)),
        };
    };
    if claims.len() > 1 {
        let claims: Vec<String> = claims.iter().map(find::Claim::show).collect();
        let differ =
            format!("the servers of {name:?} do not agree on its queue: {}", claims.join("; "));
        return Err(Failure::new(Kind::Error, differ).remedy(CHOOSE));
    }
    confirm(broker, &service).await?;
    if service.methods.iter().any(|known| known.name == method) {
        Ok(Some(service))
    } else {
        Err(find::unknown_method(&service, method))
    }
}

/// Checks the queue that servers name against RabbitMQ's state of it and of the service's default queue.
async fn confirm(broker: &Broker, service: &ServiceInfo) -> Result<(), Failure> {
    let (name, queue) = (&service.name, &service.queue);
    if queue.is_empty() {
        let unsaid = format!("the servers of {name:?} do not say which queue it has");
        return Err(Failure::new(Kind::Error, unsaid).remedy(CHOOSE));
    }
    let consumers = async |queue: &str| {
        // A user without the right to see the queue may still call.
        let state = broker.queue_state(queue).await.ok()?;
        Some(state.map_or(0, |state| state.consumers))
    };
    let usual = match service.version {
        Some(version) => format!("{name}.v{version}"),
        None => name.clone(),
    };
    for usual in [name, &usual] {
        if usual != queue && consumers(usual).await.is_some_and(|consumers| consumers > 0) {
            let differ = format!(
                "the servers of {name:?} that answered say that its queue is {queue:?}, and others consume the queue {usual:?}"
            );
            return Err(Failure::new(Kind::Error, differ).remedy(CHOOSE));
        }
    }
    if consumers(queue).await == Some(0) {
        return Err(unconsumed(queue));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claimed_timeout_is_bounded() {
        let service = |milliseconds: u64| -> ServiceInfo {
            let method = json!({"name": "m", "timeout_ms": milliseconds});
            serde_json::from_value(json!({"name": "S", "methods": [method]})).unwrap()
        };
        assert_eq!(claimed_timeout(&service(250), "m"), Some(Duration::from_millis(250)));
        assert_eq!(claimed_timeout(&service(u64::MAX), "m"), Some(MAX_CLAIMED_TIMEOUT));
        assert_eq!(claimed_timeout(&service(250), "other"), None);
    }
}
