use std::env;

use tokio::sync::OnceCell;

use crate::Node;

/// The RabbitMQ that the tests of a binary share: the one at `AMQP_URL`, else a [`Node`].
#[derive(Debug)]
pub struct Rabbit {
    url: String,
    node: Option<Node>,
}

impl Rabbit {
    /// The broker, started by whoever asks first.
    ///
    /// # Panics
    ///
    /// When there is neither `AMQP_URL` nor a RabbitMQ to start. No test is ever skipped for want of a broker.
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

    /// The node itself, unless the broker is somebody else's.
    pub fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }
}
