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
