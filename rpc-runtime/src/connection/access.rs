//! The access of one user to a broker, which clients and servers share.

use std::{
    any::Any,
    sync::{Arc, Mutex},
};

use smol_str::SmolStr;

use super::{BrokerStatus, StatusChanges, Supervisor};
use crate::{causes::opaque_debug, error::BrokerError, lock::lock, transport::QueueState};

/// A connection, where requests go on it, and what lives as long as it is used.
pub(crate) struct Access {
    supervisor: Supervisor,
    exchange: SmolStr,
    host: Option<String>,
    kept: Mutex<Vec<Box<dyn Any + Send>>>,
}

impl Access {
    /// Requests go through this topic exchange; through the default exchange if it is empty.
    pub(crate) fn new(supervisor: Supervisor, exchange: &str) -> Arc<Self> {
        let host = host(&supervisor.address());
        Arc::new(Self { supervisor, exchange: exchange.into(), host, kept: Mutex::default() })
    }

    /// The connection itself, for what must not keep the rest alive.
    pub(crate) fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// The topic exchange of requests; empty for the default exchange.
    pub(crate) fn exchange(&self) -> &SmolStr {
        &self.exchange
    }

    /// Where the broker is, as `host:port`; `None` in the process, and where there are several.
    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Where the broker is, without user and password.
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

    /// Keeps something alive for as long as this.
    pub(crate) fn keep(&self, something: impl Any + Send) {
        lock(&self.kept).push(Box::new(something));
    }
}

opaque_debug!(Access, |it| address: it.address());

/// The `host:port` of an address; `None` where it names several, or no host.
fn host(address: &str) -> Option<String> {
    let (_, authority) = address.split_once("://")?;
    let (host, vhost) = authority.split_once('/')?;
    (!vhost.contains(", ")).then(|| host.to_owned())
}
