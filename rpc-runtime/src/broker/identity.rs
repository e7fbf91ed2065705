//! Users of the broker in the process.

use super::Broker;
use crate::{error::BrokerError, message::MAX_SHORT_STRING};

impl Broker {
    /// The same broker in the process, for another user: a separate connection, whose requests name `user` as their sender.
    /// Servers see it as [`Context::caller`](crate::Context::caller), as if RabbitMQ had checked it
    /// ([`announce_user`](crate::BrokerBuilder::announce_user)). So a test can check without RabbitMQ who may call what.
    ///
    /// ```
    /// use rpc_runtime::{Broker, CallError, FaultKind, Server, middleware::Authorization, rpc_service};
    ///
    /// #[rpc_service]
    /// trait Invoices {
    ///     async fn send(&self, number: u32) -> u32;
    /// }
    ///
    /// struct Post;
    /// impl Invoices for Post {
    ///     async fn send(&self, number: u32) -> u32 {
    ///         number
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let broker = Broker::in_memory();
    /// let server = Server::builder(&broker)
    ///     .service(InvoicesServer::new(Post))
    ///     .layer(Authorization::new().permit("billing", ["Invoices.*"]))
    ///     .start()
    ///     .await?;
    ///
    /// let billing = InvoicesClient::new(&broker.as_user("billing")?);
    /// assert_eq!(billing.send(7).await?, 7);
    ///
    /// let shipping = InvoicesClient::new(&broker.as_user("shipping")?);
    /// match shipping.send(7).await {
    ///     Err(CallError::Refused(fault)) => assert_eq!(fault.kind(), FaultKind::NotPermitted),
    ///     other => panic!("{other:?}"),
    /// }
    /// # server.shutdown().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// This is a connection to RabbitMQ, whose user is the one in the address; or the name is empty, or longer than 255
    /// bytes.
    pub fn as_user(&self, user: &str) -> Result<Self, BrokerError> {
        if user.is_empty() || user.len() > MAX_SHORT_STRING {
            return Err(BrokerError::misuse("the name of a user has 1 to 255 bytes"));
        }
        let access = self.session.access();
        let Some(connection) = access.supervisor().for_user(user) else {
            return Err(BrokerError::misuse(format!(
                "the user of {} is the one in its address: connect with another address, and with `announce_user`",
                access.address()
            )));
        };
        let session = self.session.announcing(connection);
        // Keeps the servers of the first connection running as long as this one is used.
        session.access().keep(access.clone());
        Ok(Self { session, layers: self.layers.clone() })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Broker, CallError, Context, FaultKind, Server, rpc_service};

    #[rpc_service]
    trait Mirror {
        async fn caller(&self) -> Option<String>;
    }

    struct Plain;
    impl Mirror for Plain {
        async fn caller(&self) -> Option<String> {
            Context::current()?.caller().map(str::to_owned)
        }
    }

    #[tokio::test]
    async fn each_handle_calls_as_its_own_user() {
        let broker = Broker::serving(MirrorServer::new(Plain));
        let (ada, bob) = (broker.as_user("ada").unwrap(), broker.as_user("bob").unwrap());
        let caller = async |broker: &Broker| MirrorClient::new(broker).caller().await.unwrap();
        assert_eq!(caller(&ada).await.as_deref(), Some("ada"));
        assert_eq!(caller(&bob).await.as_deref(), Some("bob"));
        assert_eq!(caller(&ada.as_user("eve").unwrap()).await.as_deref(), Some("eve"));
        assert_eq!(caller(&broker).await, None, "by default a request names no user");
    }

    #[tokio::test]
    async fn another_user_keeps_servers_running() {
        let client = {
            let broker = Broker::serving(MirrorServer::new(Plain));
            MirrorClient::new(&broker.as_user("ada").unwrap())
        };
        assert_eq!(client.caller().await.unwrap().as_deref(), Some("ada"));
    }

    #[tokio::test]
    async fn a_required_caller_needs_no_rabbitmq() {
        let broker = Broker::in_memory();
        let server = Server::builder(&broker).service(MirrorServer::new(Plain)).require_caller();
        let _server = server.start().await.unwrap();
        match MirrorClient::new(&broker).caller().await {
            Err(CallError::Refused(fault)) => assert_eq!(fault.kind(), FaultKind::NotPermitted),
            other => panic!("{other:?}"),
        }
        let ada = MirrorClient::new(&broker.as_user("ada").unwrap());
        assert_eq!(ada.caller().await.unwrap().as_deref(), Some("ada"));
    }

    #[tokio::test]
    async fn a_user_name_has_1_to_255_bytes() {
        let broker = Broker::in_memory();
        for name in ["", &"n".repeat(256)] {
            assert!(broker.as_user(name).is_err());
        }
        assert!(broker.as_user(&"n".repeat(255)).is_ok());
    }

    #[cfg(feature = "testing")]
    #[tokio::test(start_paused = true)]
    async fn faults_happen_to_every_user() {
        let faults = crate::testing::Faults::new();
        let broker = Broker::serving_with(MirrorServer::new(Plain), &faults);
        let ada = MirrorClient::new(&broker.as_user("ada").unwrap());
        assert_eq!(ada.caller().await.unwrap().as_deref(), Some("ada"));
        faults.lose_connection();
        faults.return_requests(1);
        // The connection is made again, for the same user.
        assert!(matches!(ada.caller().await, Err(CallError::NoServer)));
        assert_eq!(ada.caller().await.unwrap().as_deref(), Some("ada"));
    }
}
