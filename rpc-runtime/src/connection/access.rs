//! One user's access to a broker, shared by clients and servers.

use std::{
    any::Any,
    sync::{Arc, Mutex},
};

use smol_str::SmolStr;

use super::{BrokerStatus, StatusChanges, Supervisor};
use crate::{causes::opaque_debug, error::BrokerError, lock::lock, transport::QueueState};

/// A supervised connection, the exchange for requests, and values that live as long as the access is used.
pub(crate) struct Access {
    supervisor: Supervisor,
    exchange: SmolStr,
    host: Option<String>,
    kept_alive: Mutex<Vec<Box<dyn Any + Send>>>,
}

impl Access {
    /// `exchange` is the topic exchange for requests. If it is empty, they go through the default exchange.
    pub(crate) fn new(supervisor: Supervisor, exchange: &str) -> Arc<Self> {
        let host = host(&supervisor.address());
        Arc::new(Self { supervisor, exchange: exchange.into(), host, kept_alive: Mutex::default() })
    }

    /// The supervisor alone, for code that must not keep the rest alive.
    pub(crate) fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// The topic exchange of requests; empty for the default exchange.
    pub(crate) fn exchange(&self) -> &SmolStr {
        &self.exchange
    }

    /// The broker's `host:port`; `None` for a broker in the process, and if there are several addresses.
    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The address of the broker, without user and password.
    pub(crate) fn address(&self) -> String {
        self.supervisor.address()
    }

    pub(crate) fn status(&self) -> BrokerStatus {
        self.supervisor.states().borrow().status()
    }

    pub(crate) fn status_changes(&self) -> StatusChanges {
        StatusChanges::new(self.supervisor.states())
    }

    pub(crate) async fn queue_state(&self, queue: &str) -> Result<Option<QueueState>, BrokerError> {
        self.supervisor.connection().await?.queue_state(queue).await
    }

    /// Keeps something alive as long as this access.
    pub(crate) fn keep(&self, something: impl Any + Send) {
        lock(&self.kept_alive).push(Box::new(something));
    }
}

opaque_debug!(Access, |it| address: it.address());

/// The `host:port` of an address; `None` if it names several hosts, or none.
fn host(address: &str) -> Option<String> {
    let (_, authority) = address.split_once("://")?;
    let (host, vhost) = authority.split_once('/')?;
    (!vhost.contains(", ")).then(|| host.to_owned())
}
