//! Who may call, and how many of a method may run at once.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    context::Context,
    fault::{Fault, FaultKind},
};

type Authorize = Arc<dyn Fn(&Context) -> Result<(), String> + Send + Sync>;

/// What a request has to pass before its method is run.
#[derive(Clone, Default)]
pub(super) struct Admission {
    pub(super) require_caller: bool,
    pub(super) authorize: Option<Authorize>,
    /// By service and method.
    limits: HashMap<(String, String), Arc<Semaphore>>,
}

/// Held while a method runs that has a limit of its own.
#[derive(Debug)]
pub(super) struct Admitted(
    #[allow(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>,
);

impl Admission {
    pub(super) fn limit(&mut self, service: &str, method: &str, requests: u16) {
        let permits = Arc::new(Semaphore::new(usize::from(requests)));
        self.limits.insert((service.to_owned(), method.to_owned()), permits);
    }

    /// The services and methods that have a limit.
    pub(super) fn limited(&self) -> impl Iterator<Item = (&str, &str)> {
        self.limits.keys().map(|(service, method)| (service.as_str(), method.as_str()))
    }

    /// Lets a request pass, or says why not.
    pub(super) fn admit(&self, context: &Context) -> Result<Admitted, Fault> {
        if self.require_caller && context.caller().is_none() {
            let message = "the request does not say which user sent it, and this server requires it \
                           (`require_caller`): connect with `announce_user`, or set `user_id`";
            return Err(Fault::new(FaultKind::NotPermitted, message));
        }
        if let Some(authorize) = &self.authorize {
            // Without an answer the request would keep its place among those that are sent ahead.
            let decided = catch_unwind(AssertUnwindSafe(|| authorize(context)));
            decided
                .map_err(|_| {
                    let message = "the server failed to decide whether the request is permitted";
                    Fault::new(FaultKind::Internal, message).ran(false)
                })?
                .map_err(|reason| Fault::new(FaultKind::NotPermitted, reason))?;
        }
        if self.limits.is_empty() {
            return Ok(Admitted(None));
        }
        let of_method = (context.service().to_owned(), context.method().to_owned());
        let Some(permits) = self.limits.get(&of_method) else {
            return Ok(Admitted(None));
        };
        permits.clone().try_acquire_owned().map(|permit| Admitted(Some(permit))).map_err(|_| {
            let message =
                format!("as many calls of {}.{} as allowed are running", of_method.0, of_method.1);
            Fault::new(FaultKind::Overloaded, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tokio::sync::watch;

    use super::*;
    use crate::context::{CorrelationId, Phase, RequestContext};

    /// A request of this user for a method of the service `Vault`.
    fn request(method: &'static str, caller: Option<&str>) -> Context {
        Context::new(RequestContext {
            service: "Vault",
            method,
            descriptor: None,
            deadline: None,
            headers: Vec::new(),
            caller: caller.map(Into::into),
            redelivered: false,
            correlation_id: CorrelationId::new(None),
            phase: Arc::new(watch::Sender::new(Phase::Serving).subscribe()),
            started: AtomicBool::new(false),
        })
    }

    /// What becomes of a request, in a word.
    fn word(admitted: &Result<Admitted, Fault>) -> &'static str {
        admitted.as_ref().map_or_else(|fault| fault.kind().as_str(), |_| "admitted")
    }

    #[test]
    fn a_required_caller_has_to_be_named() {
        let open = Admission::default();
        assert_eq!(word(&open.admit(&request("open", None))), "admitted");
        let strict = Admission { require_caller: true, ..Admission::default() };
        let refused = strict.admit(&request("open", None));
        assert_eq!(word(&refused), "not-permitted");
        assert!(!refused.unwrap_err().may_have_run());
        assert_eq!(word(&strict.admit(&request("open", Some("ada")))), "admitted");
    }

    #[test]
    fn who_may_what_is_asked_of_the_server() {
        let authorize = |context: &Context| match (context.method(), context.caller()) {
            ("open", Some("director")) | ("look", _) => Ok(()),
            ("explode", _) => panic!("as a mistake would"),
            (method, _) => Err(format!("{method} is for the director")),
        };
        let admission = Admission { authorize: Some(Arc::new(authorize)), ..Admission::default() };
        for (method, caller, expected) in [
            ("open", Some("director"), "admitted"),
            ("open", Some("ada"), "not-permitted"),
            ("open", None, "not-permitted"),
            ("look", None, "admitted"),
            ("explode", Some("director"), "internal"),
        ] {
            let admitted = admission.admit(&request(method, caller));
            assert_eq!(word(&admitted), expected, "{method} {caller:?}");
        }
        let refused = admission.admit(&request("open", None)).unwrap_err();
        assert_eq!(refused.message(), "open is for the director");
        let failed = admission.admit(&request("explode", None)).unwrap_err();
        assert!(!failed.may_have_run(), "its method was not run");
    }

    #[test]
    fn a_limit_is_of_one_method_and_ends_with_its_requests() {
        let mut admission = Admission::default();
        admission.limit("Vault", "open", 2);
        assert_eq!(admission.limited().collect::<Vec<_>>(), [("Vault", "open")]);
        let open = || admission.admit(&request("open", None));
        let (first, second) = (open(), open());
        assert_eq!(
            (word(&first), word(&second), word(&open())),
            ("admitted", "admitted", "overloaded")
        );
        assert_eq!(word(&admission.admit(&request("look", None))), "admitted");
        drop(first);
        let third = open();
        assert_eq!((word(&third), word(&open())), ("admitted", "overloaded"));
    }
}
