//! What a call is made of, before it is made.

use std::time::Duration;

use rpc_runtime::{
    Broker, CallError, FaultKind, UntypedCall, UntypedClient, UntypedReply,
    discovery::{Discovery, ServiceInfo},
};

use crate::{
    arguments,
    cli::{Global, Target},
    duration,
    failure::{Failure, Kind, in_full},
    find,
};

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
        let body = arguments::body(&target.arguments).await?;
        let service = match target.queue {
            Some(_) => None,
            None => described(broker, global, name, method).await?,
        };
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
        let of_method = self.service.as_ref().and_then(|service| {
            let method = service.methods.iter().find(|method| method.name == self.method)?;
            method.timeout_ms.or(service.timeout_ms).map(Duration::from_millis)
        });
        if let Some(timeout) = self.target.timeout.or(of_method) {
            call = call.timeout(timeout);
        }
        for (name, value) in &self.target.header {
            call = call.header(name, value);
        }
        call
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
                    .remedy("the server's log says where")
            }
            CallError::Broker(error) => error.into(),
            CallError::ConnectionLost { .. } => Failure::new(Kind::Broker, in_full(&error)),
            other => Failure::new(Kind::Error, in_full(&other)),
        }
    }

    /// No answer came: because nobody is there to give it, or because it takes so long.
    async fn late(&self, may_have_run: bool) -> Failure {
        let state = self.broker.queue_state(&self.queue).await.ok().flatten();
        if state.is_some_and(|state| state.consumers == 0) {
            return no_server(&format!("nobody consumes the queue {:?}", self.queue));
        }
        let name = &self.target.method;
        let waited = self
            .target
            .timeout
            .map_or("in time".to_owned(), |time| format!("within {}", duration::show(time)));
        let ran = if may_have_run { "it may have run" } else { "it has not run" };
        Failure::new(Kind::Timeout, format!("{name} did not answer {waited}; {ran}"))
            .remedy("`rpc stats` shows whether requests wait; --timeout waits longer")
    }
}

fn no_server(because: &str) -> Failure {
    Failure::new(Kind::NoServer, format!("no server: {because}"))
        .remedy("`rpc ls` lists the services that are there")
}

/// The service, if its servers can be asked and have the method; `None` where nothing is known of it.
async fn described(
    broker: &Broker,
    global: &Global,
    name: &str,
    method: &str,
) -> Result<Option<ServiceInfo>, Failure> {
    let found = Discovery::new(broker).timeout(global.wait).service(name).at_most(1);
    // Its servers may have discovery switched off, or this user no right to ask: the call shows what is there.
    let info = found.info().await.unwrap_or_default();
    let services = info.into_iter().flat_map(|instance| instance.services);
    let Some(service) = services.into_iter().find(|service| service.name == name) else {
        return match broker.queue_state(name).await? {
            Some(_) => Ok(None),
            None => find::service(broker, global, name).await.map(|found| Some(found.service)),
        };
    };
    if service.methods.iter().any(|known| known.name == method) {
        Ok(Some(service))
    } else {
        Err(find::unknown_method(&service, method))
    }
}
