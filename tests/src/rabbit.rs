use std::env;

use tokio::sync::OnceCell;

use crate::Node;

/// The RabbitMQ shared by the tests of a binary: at `AMQP_URL`, else a [`Node`].
#[derive(Debug)]
pub struct Rabbit {
    url: String,
    node: Option<Node>,
}

impl Rabbit {
    /// The broker. The first call starts it.
    ///
    /// # Panics
    ///
    /// If there is neither `AMQP_URL` nor an installed RabbitMQ. No test is skipped without a broker.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Rabbit> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    async fn start() -> Self {
        if let Some(url) = env::var("AMQP_URL").ok().filter(|url| !url.is_empty()) {
            return Self { url, node: None };
        }
        let node = Node::start().await;
        Self { url: node.url(), node: Some(node) }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The node, unless `AMQP_URL` names another broker.
    pub fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }
}
