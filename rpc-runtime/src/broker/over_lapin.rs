//! Brokers over connections that the program makes with lapin.

use std::sync::Arc;

use super::{Broker, BrokerBuilder};
use crate::{
    error::BrokerError,
    transport::lapin::{Connect, LapinTransport},
};

impl Broker {
    /// Connects to RabbitMQ over connections of [lapin] 4 that your function makes. Use it if your program already has its
    /// login, TLS and connection options in lapin. It needs the feature `lapin`.
    ///
    /// The function is called at once, and again after each loss. It has to make a new connection each time. Servers whose
    /// callers use direct reply-to call it for a second connection. Leave `enable_auto_recover` off, and do not listen to the
    /// connection's events.
    ///
    /// Over lapin, one message of a peer that may publish can end the connection or the process. [`docs/lapin.md`] describes
    /// this and the other differences.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), rpc_runtime::BrokerError> {
    /// use rpc_runtime::Broker;
    ///
    /// let broker = Broker::over_lapin(|| {
    ///     let properties = lapin::ConnectionProperties::default();
    ///     lapin::Connection::connect("amqp://localhost/%2f?heartbeat=8", properties)
    /// })
    /// .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The function makes no connection within 30 seconds, or within 3 if nothing listens at its address; or RabbitMQ refuses
    /// the user, the password or the virtual host.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the attempt, and drops the future that your function returned.
    ///
    /// [lapin]: https://docs.rs/lapin/4
    /// [`docs/lapin.md`]: https://github.com/rabbitmq-rpc/rabbitmq-rpc/blob/main/docs/lapin.md
    pub async fn over_lapin<F, C>(connect: F) -> Result<Self, BrokerError>
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<lapin::Connection, lapin::Error>> + Send + 'static,
    {
        BrokerBuilder::over_lapin(connect).connect().await
    }
}

impl BrokerBuilder {
    /// Sets up a broker over connections of lapin 4 that your function makes: see [`Broker::over_lapin`]. It needs the feature
    /// `lapin`.
    ///
    /// Your function decides how to connect, so these options do nothing: [`address`](Self::address), [`name`](Self::name),
    /// [`heartbeat`](Self::heartbeat), [`tls`](Self::tls) and [`login_by_certificate`](Self::login_by_certificate).
    /// [`announce_user`](Self::announce_user) announces the user of lapin's URI.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), rpc_runtime::BrokerError> {
    /// use rpc_runtime::BrokerBuilder;
    ///
    /// let broker = BrokerBuilder::over_lapin(|| {
    ///     let properties = lapin::ConnectionProperties::default();
    ///     lapin::Connection::connect("amqp://localhost/%2f?heartbeat=8", properties)
    /// })
    /// .exchange("rpc")
    /// .connect()
    /// .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn over_lapin<F, C>(connect: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<lapin::Connection, lapin::Error>> + Send + 'static,
    {
        let connect: Connect = Arc::new(move || Box::pin(connect()));
        Self::over(move || Arc::new(LapinTransport::over_lapin(connect.clone())))
    }
}

/// The transport of tests that run over lapin.
#[cfg(feature = "failpoints")]
pub(super) fn for_tests(
    addresses: &[String],
    name: &str,
    heartbeat: std::time::Duration,
) -> Option<Arc<dyn crate::transport::Transport>> {
    let heartbeat = u16::try_from(heartbeat.as_secs()).unwrap_or(u16::MAX);
    let connect = crate::transport::lapin::by_address::wanted(addresses, name, heartbeat)?;
    Some(Arc::new(LapinTransport::over_lapin(connect)))
}
