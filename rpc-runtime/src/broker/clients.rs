//! What is made from a broker: servers, calls without a trait, and questions to servers. Generated clients are made by
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
    /// A client that sends JSON to this queue: the service's name, unless its trait or its server says otherwise.
    pub fn new(broker: &Broker, queue: impl Into<String>) -> Self {
        Self::over(broker.session.clone(), broker.layers(), queue.into().into())
    }
}

impl Discovery {
    /// Asks every server of this broker's virtual host.
    pub fn new(broker: &Broker) -> Self {
        Self::over(broker.session.access().clone())
    }
}
