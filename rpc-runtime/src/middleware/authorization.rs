//! Authorization with a table of rules.

use std::{
    collections::HashMap,
    sync::Arc,
    task::{Context, Poll},
};

use tower::{Layer, Service};

use super::{BoxError, Reply, Request, answering::Answering};
use crate::fault::{Fault, FaultKind};

/// A layer for servers that decides who may call which methods. It refuses all other calls as `not-permitted`.
///
/// RabbitMQ checks the caller: clients [announce](crate::BrokerBuilder::announce_user) their user, and the broker
/// refuses messages with another user. A rule names methods as `Service.method`, all methods of a service as
/// `Service.*`, or everything as `*`. For rules that do not fit into a table, use
/// [`authorize`](crate::ServerBuilder::authorize). If the decision is asynchronous, use tower's `AsyncFilterLayer`.
///
/// ```
/// use rpc_runtime::{Broker, CallError, Server, middleware::Authorization, rpc_service};
///
/// #[rpc_service]
/// trait Vault {
///     async fn open(&self);
///     async fn hours(&self) -> String;
/// }
///
/// struct Steel;
/// impl Vault for Steel {
///     async fn open(&self) {}
///     async fn hours(&self) -> String {
///         "9 to 5".to_owned()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let broker = Broker::in_memory();
/// let rules = Authorization::new().permit("director", ["Vault.*"]).permit_anyone(["Vault.hours"]);
/// let server = Server::builder(&broker).service(VaultServer::new(Steel)).layer(rules).start().await?;
///
/// let anonymous = VaultClient::new(&broker);
/// assert_eq!(anonymous.hours().await?, "9 to 5");
/// assert!(matches!(anonymous.open().await, Err(CallError::Refused(_))));
/// # drop(server);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a layer does nothing until it is added"]
pub struct Authorization {
    rules: Arc<Rules>,
}

#[derive(Debug, Clone, Default)]
struct Rules {
    of_callers: HashMap<String, Vec<String>>,
    of_anyone: Vec<String>,
}

impl Authorization {
    /// Starts without rules, so nothing is permitted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Permits these methods to a caller, in addition to other rules.
    pub fn permit<M: Into<String>>(
        mut self,
        caller: impl Into<String>,
        methods: impl IntoIterator<Item = M>,
    ) -> Self {
        let permitted = Arc::make_mut(&mut self.rules).of_callers.entry(caller.into()).or_default();
        permitted.extend(methods.into_iter().map(Into::into));
        self
    }

    /// Permits these methods to all callers, including those that do not announce a user.
    pub fn permit_anyone<M: Into<String>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        let permitted = &mut Arc::make_mut(&mut self.rules).of_anyone;
        permitted.extend(methods.into_iter().map(Into::into));
        self
    }
}

impl Rules {
    fn permit(&self, caller: Option<&str>, service: &str, method: &str) -> bool {
        let names = |rule: &String| {
            let all = || rule == "*";
            all()
                || rule
                    .rsplit_once('.')
                    .is_some_and(|(of, named)| of == service && (named == "*" || named == method))
        };
        let of_caller = caller.and_then(|caller| self.of_callers.get(caller));
        self.of_anyone.iter().chain(of_caller.into_iter().flatten()).any(names)
    }
}

impl<S> Layer<S> for Authorization {
    type Service = Authorized<S>;

    fn layer(&self, below: S) -> Authorized<S> {
        Authorized { below, rules: self.rules.clone() }
    }
}

/// The service of [`Authorization`].
#[derive(Debug, Clone)]
pub struct Authorized<S> {
    below: S,
    rules: Arc<Rules>,
}

impl<S> Service<Request> for Authorized<S>
where
    S: Service<Request, Response = Reply>,
    S::Error: Into<BoxError>,
{
    type Response = Reply;
    type Error = BoxError;
    type Future = Answering<S::Future, ()>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.below.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (service, method, caller) = (request.service(), request.method(), request.caller());
        if self.rules.permit(caller, service, method) {
            return Answering::below(self.below.call(request), ());
        }
        let message = match caller {
            Some(caller) => format!("{caller} may not call {service}.{method}"),
            None => format!("{service}.{method} is not for callers that do not say who they are"),
        };
        Answering::itself(Ok(Fault::new(FaultKind::NotPermitted, message).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_permits_only_the_named_methods() {
        let rules = Authorization::new()
            .permit("ada", ["Vault.open", "Log.*"])
            .permit("root", ["*"])
            .permit_anyone(["Vault.hours"])
            .rules;
        for (caller, called, permitted) in [
            (Some("ada"), ("Vault", "open"), true),
            (Some("ada"), ("Vault", "opens"), false),
            (Some("ada"), ("Log", "write"), true),
            (Some("ada"), ("Vault", "hours"), true),
            (Some("bob"), ("Vault", "open"), false),
            (Some("bob"), ("Vault", "hours"), true),
            (Some("root"), ("Any.thing", "at-all"), true),
            (None, ("Vault", "hours"), true),
            (None, ("Vault", "open"), false),
            (Some(""), ("", ""), false),
        ] {
            assert_eq!(
                rules.permit(caller, called.0, called.1),
                permitted,
                "{caller:?} {called:?}"
            );
        }
    }
}
