//! rpc-amqp as the driver.

use std::{sync::Arc, time::Duration};

use rpc_amqp::{
    Address, Batch, Channel, ChannelHandler, ChannelWriter, ConnectOptions, Connection, Connector,
    DeclaredQueue, Error, ExchangeDeclaration, NotSent, QueueDeclaration, SendWindow, Stall,
};
use smol_str::SmolStr;
use tokio::{sync::watch, time::Instant};
use tracing::warn;

use super::{
    AmqpOptions,
    driver::{Driver, DriverBatch, DriverChannel, DriverConnection, DriverWriter},
    error,
};
use crate::{error::BrokerError, limits, message::Message, tasks::BoxFuture, transport::Blocked};

/// Makes connections to the nodes of a RabbitMQ cluster.
pub(crate) struct Dialer {
    pub(super) connector: Connector,
    name: String,
}

impl Dialer {
    pub(super) fn new(options: &AmqpOptions<'_>) -> Result<Self, BrokerError> {
        let connect = ConnectOptions::default()
            .name(options.name)
            .product(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .heartbeat(options.heartbeat)
            .tls(options.tls.clone())
            .external(options.external)
            .min_channels(limits::FEWEST_CHANNELS)
            .on_stall(|Stall { time, heartbeat, .. }| warn_of_stall(time, heartbeat));
        let connector =
            Connector::new(options.addresses, connect).map_err(|e| error::connecting(&e))?;
        Ok(Self { connector, name: options.name.to_owned() })
    }
}

/// Warns that the runtime of a connection stood still for longer than its heartbeat.
pub(in crate::transport) fn warn_of_stall(stall: Duration, heartbeat: Duration) {
    warn!(
        ?stall,
        ?heartbeat,
        "the runtime of the connection stood still: a method or another task blocks its thread, or the process was \
         stopped. RabbitMQ closes a connection of which it hears nothing for twice the heartbeat, and its requests \
         run again: mark methods that block with `#[rpc(blocking)]`, and do other work that blocks in \
         `tokio::task::spawn_blocking`"
    );
}

impl Driver for Dialer {
    type Connection = Connection;
    type Channel = Channel;
    type Writer = ChannelWriter;

    fn dial(&self, by: Option<Instant>) -> BoxFuture<'_, Result<Connection, BrokerError>> {
        Box::pin(async move {
            let connected = self.connector.connect_as(&self.name, by).await;
            connected.map_err(|failed| error::connecting(&failed))
        })
    }

    fn dial_for_direct_replies(&self) -> BoxFuture<'_, Result<Connection, BrokerError>> {
        Box::pin(async {
            let name = format!("{} (direct replies)", self.name);
            let connected = self.connector.connect_as(&name, None).await;
            connected.map_err(|failed| error::connecting(&failed))
        })
    }

    fn address(&self) -> String {
        let addresses: Vec<String> =
            self.connector.addresses().iter().map(Address::to_string).collect();
        addresses.join(", ")
    }
}

impl DriverConnection for Connection {
    type Channel = Channel;

    async fn open_channel(&self) -> Result<Channel, Error> {
        self.open_channel().await
    }

    fn channel_max(&self) -> u16 {
        self.channel_max()
    }

    fn user(&self) -> &SmolStr {
        self.user()
    }

    fn blocked(&self) -> watch::Receiver<Blocked> {
        self.blocked()
    }

    fn send_window(&self) -> &Arc<SendWindow> {
        self.send_window()
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    fn closed(&self) -> BoxFuture<'static, Error> {
        Box::pin(self.closed())
    }

    fn close(&self) {
        self.close();
    }
}

impl DriverChannel for Channel {
    type Writer = ChannelWriter;

    fn writer(&self) -> &Arc<ChannelWriter> {
        self.writer()
    }

    fn set_handler(&self, handler: Arc<dyn ChannelHandler>) {
        self.set_handler(handler);
    }

    async fn confirm_select(&self) -> Result<(), Error> {
        self.confirm_select().await
    }

    async fn declare_exchange(&self, declaration: ExchangeDeclaration<'_>) -> Result<(), Error> {
        self.declare_exchange(declaration).await
    }

    async fn declare_queue(
        &self,
        declaration: QueueDeclaration<'_>,
    ) -> Result<DeclaredQueue, Error> {
        self.declare_queue(declaration).await
    }

    async fn bind_queue(
        &self,
        queue: &str,
        exchange: &str,
        routing_key: &str,
    ) -> Result<(), Error> {
        self.bind_queue(queue, exchange, routing_key).await
    }

    async fn set_prefetch(&self, count: u16) -> Result<(), Error> {
        self.set_prefetch(count).await
    }

    async fn consume(&self, queue: &str, acknowledged: bool) -> Result<SmolStr, Error> {
        self.consume(queue, acknowledged).await
    }

    async fn cancel(&self, consumer: &str) -> Result<(), Error> {
        self.cancel(consumer).await
    }

    fn fence(&self) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(self.fence())
    }

    fn fence_without_limit(&self) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(self.fence_without_limit())
    }

    async fn close(&self) {
        self.close().await;
    }
}

impl DriverWriter for ChannelWriter {
    type Batch<'a> = Batch<'a>;

    #[inline]
    fn write<T>(&self, write: impl FnOnce(&mut Batch<'_>) -> T) -> Result<T, NotSent> {
        self.write(write)
    }
}

impl DriverBatch for Batch<'_> {
    #[inline]
    fn publish(&mut self, message: &Message) {
        self.publish(message);
    }

    #[inline]
    fn when_written(&mut self, run: impl FnOnce() + Send + 'static) {
        self.when_written(run);
    }

    #[inline]
    fn ack(&mut self, tag: u64) {
        self.ack(tag);
    }

    #[inline]
    fn reject(&mut self, tag: u64, requeue: bool) {
        self.reject(tag, requeue);
    }
}
