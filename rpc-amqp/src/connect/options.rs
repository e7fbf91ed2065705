//! How connections are made.

use std::{fmt, sync::Arc, time::Duration};

use crate::{Stall, Tls, limits};

/// Called when the runtime of a connection stood still.
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
    /// The name of the connections in RabbitMQ's pages.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The program and its version, in RabbitMQ's pages.
    pub fn product(mut self, product: &str, version: &str) -> Self {
        product.clone_into(&mut self.product);
        version.clone_into(&mut self.version);
        self
    }

    /// How often each side gives a sign of life, in whole seconds; 8 s by default. `heartbeat` in an address goes before it.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// How connections to `amqps://` addresses are encrypted.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Logs in by the certificate of the connection (`EXTERNAL`) and not by a password.
    pub fn external(mut self, external: bool) -> Self {
        self.external = external;
        self
    }

    /// A connection that may have fewer channels is an error.
    pub fn min_channels(mut self, channels: u16) -> Self {
        self.min_channels = channels;
        self
    }

    /// Called from the I/O task when the runtime of a connection stood still for longer than the heartbeat. Without it, that is
    /// logged as a warning.
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
