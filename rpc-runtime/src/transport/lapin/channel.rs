//! A channel: its methods with a reply from the broker, and its handler.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use lapin::{
    ExchangeKind,
    options::{
        BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, ConfirmSelectOptions,
        ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::{FieldTable, ShortString},
};
use rpc_amqp::{ChannelHandler, DeclaredQueue, Error, ExchangeDeclaration, QueueDeclaration};
use smol_str::SmolStr;
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
    time::timeout,
};

use super::{
    connection::News,
    consumer::{self, Consuming},
    error,
    settling::Settling,
    table::{self, short},
    writer::{Item, LapinWriter},
};
use crate::{
    lock::lock,
    tasks::{self, BoxFuture},
    transport::{Blocked, amqp::driver::DriverChannel},
};

/// The time limit for a reply of the broker, as in rpc-amqp.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A channel, which is closed on drop.
pub(crate) struct LapinChannel {
    channel: Arc<lapin::Channel>,
    writer: Arc<LapinWriter>,
    state: Arc<ChannelState>,
    news: News,
    blocked: watch::Receiver<Blocked>,
    /// The runtime of its tasks.
    runtime: Handle,
}

/// The state that the tasks of a channel share.
#[derive(Default)]
pub(super) struct ChannelState {
    handler: Mutex<Handler>,
    /// Why the channel ended, if its consumer received the reason.
    cause: Mutex<Option<Error>>,
    pub(super) consuming: Consuming,
}

#[derive(Default)]
struct Handler {
    /// `None` before it is set, and after the end.
    called: Option<Arc<dyn ChannelHandler>>,
    ended: Option<Error>,
}

impl ChannelState {
    fn lock(&self) -> MutexGuard<'_, Handler> {
        lock(&self.handler)
    }

    /// The receiver of messages.
    pub(super) fn handler(&self) -> Option<Arc<dyn ChannelHandler>> {
        self.lock().called.clone()
    }

    /// Why the channel ended, if that is known.
    pub(super) fn ended(&self) -> Option<Error> {
        self.lock().ended.clone()
    }

    /// Reports the end of the channel to the handler, which is not called again.
    pub(super) fn end(&self, why: Error) {
        let mut handler = self.lock();
        if handler.ended.is_some() {
            return;
        }
        handler.ended = Some(why.clone());
        let called = handler.called.take();
        drop(handler);
        if let Some(handler) = called {
            handler.closed(why);
        }
    }

    fn set(&self, called: Arc<dyn ChannelHandler>) {
        let mut handler = self.lock();
        match handler.ended.clone() {
            Some(why) => {
                drop(handler);
                called.closed(why);
            }
            None => handler.called = Some(called),
        }
    }

    pub(super) fn cause(&self) -> Option<Error> {
        lock(&self.cause).clone()
    }

    /// Stores why the channel ends, if the error contains it. Only the first reason counts.
    pub(super) fn note_cause(&self, error: &lapin::Error) {
        if error::names_the_cause(error) {
            let mut cause = lock(&self.cause);
            cause.get_or_insert_with(|| error::ended(error));
        }
    }
}

impl LapinChannel {
    pub(super) fn start(
        channel: lapin::Channel,
        news: News,
        blocked: watch::Receiver<Blocked>,
        runtime: &Handle,
    ) -> Self {
        let channel = Arc::new(channel);
        let writer = Arc::new(LapinWriter::new(channel.clone()));
        let state = Arc::<ChannelState>::default();
        let settling = Settling::new(channel.clone(), writer.clone(), state.clone(), news.clone());
        runtime.spawn(tasks::boxed(settling.run()));
        Self { channel, writer, state, news, blocked, runtime: runtime.clone() }
    }

    /// Waits for a reply, up to the time limit.
    async fn ask<T>(
        &self,
        asked: impl Future<Output = lapin::Result<T>> + Send,
    ) -> Result<T, Error> {
        match timeout(ANSWER_WITHIN, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) if error::names_the_cause(&why) => Err(error::ended(&why)),
            Ok(Err(why)) => {
                let known = self.state.ended().or_else(|| self.state.cause());
                Err(known.or_else(|| self.news.ended()).unwrap_or_else(|| error::ended(&why)))
            }
            Err(_) => Err(unanswered(&self.blocked.borrow())),
        }
    }

    /// Makes the channel's task wait until the broker has handled everything sent so far.
    fn fenced(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let (fence, answer) = oneshot::channel();
        // If the channel has ended, `push` drops the sender.
        let _ = self.writer.push(Item::Fence(fence));
        let state = self.state.clone();
        async move { answer.await.unwrap_or_else(|_| Err(state.ended().unwrap_or(Error::Closed))) }
    }
}

/// The broker is alive but does not reply. During an alarm, lapin writes nothing.
pub(super) fn unanswered(blocked: &Blocked) -> Error {
    let within = ANSWER_WITHIN;
    let message = match blocked.reason() {
        Some(reason) => {
            format!("the broker did not answer within {within:?}; it takes no messages: {reason:?}")
        }
        None => format!("the broker did not answer within {within:?}, though the connection lives"),
    };
    error::lost(io::ErrorKind::TimedOut, message)
}

impl DriverChannel for LapinChannel {
    type Writer = LapinWriter;

    fn writer(&self) -> &Arc<LapinWriter> {
        &self.writer
    }

    fn set_handler(&self, handler: Arc<dyn ChannelHandler>) {
        self.state.set(handler);
    }

    async fn confirm_select(&self) -> Result<(), Error> {
        self.ask(self.channel.confirm_select(ConfirmSelectOptions::default())).await?;
        self.writer.confirm();
        Ok(())
    }

    async fn declare_exchange(&self, declaration: ExchangeDeclaration<'_>) -> Result<(), Error> {
        let kind = match declaration.kind {
            "topic" => ExchangeKind::Topic,
            other => ExchangeKind::Custom(other.to_owned()),
        };
        let options = ExchangeDeclareOptions {
            passive: declaration.passive,
            durable: declaration.durable,
            ..ExchangeDeclareOptions::default()
        };
        let (name, arguments) = (short(declaration.name), FieldTable::default());
        self.ask(self.channel.exchange_declare(name, kind, options, arguments)).await
    }

    async fn declare_queue(
        &self,
        declaration: QueueDeclaration<'_>,
    ) -> Result<DeclaredQueue, Error> {
        let options = QueueDeclareOptions {
            passive: declaration.passive,
            durable: declaration.durable,
            exclusive: declaration.exclusive,
            auto_delete: declaration.auto_delete,
            ..QueueDeclareOptions::default()
        };
        let (name, arguments) = (short(declaration.name), table::to_lapin(declaration.arguments));
        let declared = self.ask(self.channel.queue_declare(name, options, arguments)).await?;
        Ok(DeclaredQueue {
            name: declared.name().as_str().into(),
            messages: declared.message_count(),
            consumers: declared.consumer_count(),
        })
    }

    async fn bind_queue(
        &self,
        queue: &str,
        exchange: &str,
        routing_key: &str,
    ) -> Result<(), Error> {
        let (queue, exchange, routing_key) = (short(queue), short(exchange), short(routing_key));
        let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
        self.ask(self.channel.queue_bind(queue, exchange, routing_key, options, arguments)).await
    }

    async fn set_prefetch(&self, count: u16) -> Result<(), Error> {
        self.ask(self.channel.basic_qos(count, BasicQosOptions::default())).await
    }

    async fn consume(&self, queue: &str, acknowledged: bool) -> Result<SmolStr, Error> {
        let options = BasicConsumeOptions { no_ack: !acknowledged, ..Default::default() };
        let (tag, arguments) = (ShortString::default(), FieldTable::default());
        let consumer =
            self.ask(self.channel.basic_consume(short(queue), tag, options, arguments)).await?;
        let name = consumer.tag().as_str().into();
        let started = self.state.consuming.start();
        let receiving =
            consumer::receive(consumer, self.state.clone(), self.writer.clone(), started);
        self.runtime.spawn(tasks::boxed(receiving));
        Ok(name)
    }

    async fn cancel(&self, consumer: &str) -> Result<(), Error> {
        self.state.consuming.stop();
        self.ask(self.channel.basic_cancel(short(consumer), BasicCancelOptions::default())).await?;
        // Deliver the messages that arrived before the reply.
        self.state.consuming.ended().await;
        Ok(())
    }

    fn fence(&self) -> BoxFuture<'static, Result<(), Error>> {
        let (answer, blocked) = (self.fenced(), self.blocked.clone());
        Box::pin(async move {
            let answered = timeout(ANSWER_WITHIN, answer).await;
            answered.unwrap_or_else(|_| Err(unanswered(&blocked.borrow())))
        })
    }

    fn fence_without_limit(&self) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(self.fenced())
    }

    async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.writer.push(Item::Close(Some(done))).is_ok() {
            let _ = closed.await;
        }
    }
}

impl Drop for LapinChannel {
    fn drop(&mut self) {
        let _ = self.writer.push(Item::Close(None));
    }
}
