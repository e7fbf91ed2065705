//! Constructors that take a broker: for servers, untyped clients and discovery. Those of generated clients are in
//! `private.rs`.

use super::Broker;
use crate::{
    client::UntypedClient,
    discovery::Discovery,
    server::{Server, ServerBuilder},
};

impl Server {
    /// Sets up a server on this broker.
    pub fn builder(broker: &Broker) -> ServerBuilder {
        ServerBuilder::new(broker.session.access().clone())
    }
}

impl UntypedClient {
    /// A client that sends JSON to this queue. The queue has the service's name, unless its trait or its server sets
    /// another.
    pub fn new(broker: &Broker, queue: impl Into<String>) -> Self {
        Self::over(broker.session.clone(), broker.layers(), queue.into().into())
    }
}

impl Discovery {
    /// Discovery of all servers in this broker's virtual host.
    pub fn new(broker: &Broker) -> Self {
        Self::over(broker.session.access().clone())
    }
}
