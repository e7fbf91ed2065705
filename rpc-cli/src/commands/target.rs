//! What a call is made of, before it is made.

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

/// The longest that a call waits because an answer of discovery says so.
const LONGEST_TOLD: Duration = Duration::from_secs(60 * 60);

/// How long a look at a queue may take.
const LOOK_WITHIN: Duration = Duration::from_secs(1);

/// How long a call waits if nobody says how long.
const USUAL: Duration = Duration::from_secs(10);

/// What to do where answers leave a doubt.
const CHOOSE: &str = "`rpc info` shows who says what; choose the queue with --queue, for nobody vouches for these answers";

/// A call that can be made, once or many times.
pub(super) struct Prepared {
    broker: Broker,
    target: Target,
    client: UntypedClient,
    queue: String,
    method: String,
    body: String,
    /// As its servers describe it, if they were asked.
    service: Option<ServiceInfo>,
}

impl Prepared {
    /// Finds the service and its method, unless the queue is given.
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

    /// The call, not yet sent.
    pub(super) fn call(&self) -> UntypedCall {
        let mut call = self.client.call(&self.method, self.body.clone());
        call = call.timeout(self.timeout());
        for (name, value) in &self.target.header {
            call = call.header(name, value);
        }
        call
    }

    /// How long a call waits for its answer.
    fn timeout(&self) -> Duration {
        let of_method = self.service.as_ref().and_then(|service| told(service, &self.method));
        self.target.timeout.or(of_method).unwrap_or(USUAL)
    }

    /// What a call that failed comes down to.
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

    /// No answer came: because nobody is there to give it, or because it takes so long.
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

/// How long callers of the method wait, as its servers say.
fn told(service: &ServiceInfo, method: &str) -> Option<Duration> {
    let method = service.methods.iter().find(|known| known.name == method)?;
    let told = method.timeout_ms.or(service.timeout_ms).map(Duration::from_millis);
    told.map(|told| told.min(LONGEST_TOLD))
}

/// An argument is no JSON, and no server described the method. Where nobody consumes the queue, that is why.
async fn undescribed(
    broker: &Broker,
    target: &Target,
    name: &str,
    method: &str,
    text: &str,
) -> Failure {
    let queue = target.queue.as_deref().unwrap_or(name);
    // A user who may not ask RabbitMQ may still call.
    match broker.queue_state(queue).await {
        Ok(None) => return no_server(&format!("there is no queue {queue:?}")),
        Ok(Some(state)) if state.consumers == 0 => return unconsumed(queue),
        _ => {}
    }
    let why = match target.queue {
        Some(_) => format!("with --queue no server is asked what {method} takes"),
        None => format!("no server said what {method} takes"),
    };
    not_known(text, &why)
}

/// Whether nobody consumes a queue that is there. It does not wait for a connection that is down, or for a silent broker.
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

/// The service, if its servers can be asked and have the method; `None` where nothing is known of it.
///
/// Nothing vouches for an answer, and the arguments of the call go where it says. So all servers are asked, and where the
/// answers leave a doubt, nothing is sent.
async fn described(
    broker: &Broker,
    global: &Global,
    name: &str,
    method: &str,
) -> Result<Option<ServiceInfo>, Failure> {
    let asking = Discovery::new(broker).timeout(global.wait).service(name);
    // Its servers may have discovery switched off, or this user no right to ask: the call shows what is there.
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

/// Holds the queue that servers name against what RabbitMQ says of it, and of the one that the service usually has.
async fn confirm(broker: &Broker, service: &ServiceInfo) -> Result<(), Failure> {
    let (name, queue) = (&service.name, &service.queue);
    if queue.is_empty() {
        let unsaid = format!("the servers of {name:?} do not say which queue it has");
        return Err(Failure::new(Kind::Error, unsaid).remedy(CHOOSE));
    }
    let consumers = async |queue: &str| {
        // A user who may not ask RabbitMQ may still call.
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
    fn no_answer_makes_a_call_wait_for_years() {
        let service = |milliseconds: u64| -> ServiceInfo {
            let method = json!({"name": "m", "timeout_ms": milliseconds});
            serde_json::from_value(json!({"name": "S", "methods": [method]})).unwrap()
        };
        assert_eq!(told(&service(250), "m"), Some(Duration::from_millis(250)));
        assert_eq!(told(&service(u64::MAX), "m"), Some(LONGEST_TOLD));
        assert_eq!(told(&service(250), "other"), None);
    }
}
