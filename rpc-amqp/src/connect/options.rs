//! How connections are made.

use std::{fmt, sync::Arc, time::Duration};

use crate::{Stall, Tls, limits};

/// Called after the runtime of a connection was blocked.
pub(crate) type OnStall = Arc<dyn Fn(Stall) + Send + Sync>;

/// How a [`Connector`](crate::Connector) makes connections.
#[derive(Clone)]
#[must_use = "options do nothing until a connector has them"]
pub struct ConnectOptions {
    pub(super) name: String,
    pub(super) product: String,
    pub(super) version: String,
    pub(super) heartbeat: Duration,
    pub(super) tls: Tls,
    pub(super) external: bool,
    pub(super) min_channels: u16,
    pub(super) on_stall: Option<OnStall>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            product: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            heartbeat: limits::HEARTBEAT,
            tls: Tls::default(),
            external: false,
            min_channels: 1,
            on_stall: None,
        }
    }
}

impl ConnectOptions {
    /// The name of the connections on RabbitMQ's management pages.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The program and its version, as shown on RabbitMQ's management pages.
    pub fn product(mut self, product: &str, version: &str) -> Self {
        product.clone_into(&mut self.product);
        version.clone_into(&mut self.version);
        self
    }

    /// The heartbeat interval, in whole seconds. The default is 8 s. `heartbeat` in an address overrides it.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// How connections to `amqps://` addresses are encrypted.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Logs in with the certificate of the connection (`EXTERNAL`) instead of a password.
    pub fn external(mut self, external: bool) -> Self {
        self.external = external;
        self
    }

    /// Connecting fails if the broker allows fewer channels than this.
    pub fn min_channels(mut self, channels: u16) -> Self {
        self.min_channels = channels;
        self
    }

    /// The I/O task calls this after the runtime of a connection was blocked for longer than the heartbeat interval.
    /// Without this function, a warning is logged.
    pub fn on_stall(mut self, report: impl Fn(Stall) + Send + Sync + 'static) -> Self {
        self.on_stall = Some(Arc::new(report));
        self
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("name", &self.name)
            .field("heartbeat", &self.heartbeat)
            .field("tls", &self.tls)
            .field("external", &self.external)
            .finish_non_exhaustive()
    }
}
