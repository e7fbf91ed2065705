//! The brokers of the tests, and the service that most tests use.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{Broker, CallError, Context, Queue, Server, ServerBuilder, rpc_service};
use rpc_tests::{Rabbit, unique};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

/// A timeout longer than any step of a test.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Each line declares a test on the broker in memory and on RabbitMQ.
macro_rules! on_both_brokers {
    ($($name:ident;)*) => {
        mod in_memory {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(rpc_runtime::Broker::in_memory()).await;
                }
            )*
        }

        mod rabbitmq {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::brokers::rabbitmq().await).await;
                }
            )*
        }
    };
}
pub(crate) use on_both_brokers;

pub(crate) async fn rabbitmq() -> Broker {
    Broker::connect(Rabbit::shared().await.url()).await.unwrap()
}

/// A queue that expires by itself, in case a test fails before it cleans up.
pub(crate) fn queue(name: &str) -> Queue {
    Queue::named(name).temporary()
}

/// A bit of everything.
#[rpc_service]
pub(crate) trait Sample {
    async fn add(&self, a: u32, b: u32) -> u32;

    async fn divide(&self, a: i64, b: i64) -> Result<i64, DivisionError>;

    /// Waits until the test opens the gate.
    async fn wait(&self, n: u32) -> u32;

    #[rpc(idempotent)]
    async fn again(&self, n: u32) -> u32;

    #[rpc(at_most_once)]
    async fn once(&self, n: u32) -> u32;

    async fn explode(&self, message: String);

    #[rpc(blocking)]
    fn block(&self, n: u32) -> u32;

    #[rpc(blocking)]
    fn explode_blocking(&self);

    #[rpc(oneway)]
    async fn note(&self, text: String);

    async fn seen(&self) -> Seen;

    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DivisionError {
    ByZero { dividend: i64 },
}

impl std::fmt::Display for DivisionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::ByZero { dividend } = self;
        write!(f, "{dividend} cannot be divided by zero")
    }
}

/// The context that a handler sees.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) left: Option<Duration>,
    pub(crate) redelivered: bool,
    pub(crate) has_correlation_id: bool,
}

/// An implementation that the test can observe and control.
#[derive(Clone)]
pub(crate) struct Inside {
    /// One permit ends one `wait`.
    pub(crate) gate: Arc<Semaphore>,
    /// Number of handlers started.
    pub(crate) started: Arc<AtomicU32>,
    /// Number of handlers running, and the maximum so far.
    pub(crate) running: Arc<AtomicU32>,
    pub(crate) most: Arc<AtomicU32>,
}

impl Inside {
    pub(crate) fn new() -> Self {
        Self {
            gate: Arc::new(Semaphore::new(0)),
            started: Arc::default(),
            running: Arc::default(),
            most: Arc::default(),
        }
    }

    pub(crate) fn started(&self) -> u32 {
        self.started.load(Ordering::SeqCst)
    }

    pub(crate) async fn has_started(&self, handlers: u32) {
        let what = format!("{handlers} handlers have started");
        rpc_tests::eventually(&what, SOON, || (self.started() >= handlers).then_some(())).await;
    }

    fn start(&self) {
        self.started.fetch_add(1, Ordering::SeqCst);
    }
}

impl Sample for Inside {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.start();
        a + b
    }

    async fn divide(&self, a: i64, b: i64) -> Result<i64, DivisionError> {
        a.checked_div(b).ok_or(DivisionError::ByZero { dividend: a })
    }

    async fn wait(&self, n: u32) -> u32 {
        self.start();
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.running.fetch_sub(1, Ordering::SeqCst);
        n
    }

    async fn again(&self, n: u32) -> u32 {
        self.wait(n).await
    }

    async fn once(&self, n: u32) -> u32 {
        self.wait(n).await
    }

    async fn explode(&self, message: String) {
        self.start();
        panic!("{message}");
    }

    fn block(&self, n: u32) -> u32 {
        // Blocks its thread. On a worker thread it would stop all other handlers.
        tokio::runtime::Handle::current().block_on(self.wait(n))
    }

    fn explode_blocking(&self) {
        panic!("blocking handlers panic, too");
    }

    async fn note(&self, _text: String) {
        self.start();
    }

    async fn seen(&self) -> Seen {
        let context = Context::current().unwrap();
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Seen {
            method: context.method().to_owned(),
            headers: context.headers().map(owned).collect(),
            left: context.deadline().map(|deadline| deadline - tokio::time::Instant::now()),
            redelivered: context.redelivered(),
            has_correlation_id: context.correlation_id().is_some(),
        }
    }

    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.start();
        bytes
    }
}

/// A client and a server of [`Sample`] on a queue of their own.
pub(crate) struct Pair {
    pub(crate) broker: Broker,
    pub(crate) queue: String,
    pub(crate) inside: Inside,
    pub(crate) client: SampleClient,
    pub(crate) server: Server,
}

impl Pair {
    pub(crate) async fn new(broker: Broker) -> Self {
        Self::with(broker, |server| server).await
    }

    /// The same with changed options of the server.
    pub(crate) async fn with(
        broker: Broker,
        change: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Self {
        let (name, inside) = (unique("sample"), Inside::new());
        let builder =
            Server::builder(&broker).service_on(queue(&name), SampleServer::new(inside.clone()));
        let server = change(builder).start().await.unwrap();
        let client = SampleClient::builder(&broker).queue(&name).build();
        // The first call opens the callback queue, which can be slow, so it is not part of a test's deadline.
        let _ = client.seen().await;
        Self { broker, queue: name, inside, client, server }
    }

    /// Another server on the same queue.
    pub(crate) async fn another(&self, broker: &Broker) -> (Server, Inside) {
        let inside = Inside::new();
        let server = Server::builder(broker)
            .service_on(queue(&self.queue), SampleServer::new(inside.clone()))
            .start()
            .await
            .unwrap();
        (server, inside)
    }
}

/// Asserts how a call ended.
macro_rules! assert_ended {
    ($ended:expr, $pattern:pat $(if $guard:expr)?) => {{
        let ended = &$ended;
        assert!(matches!(ended, $pattern $(if $guard)?), "{ended:?}");
    }};
}
pub(crate) use assert_ended;

/// The fault of a refused call.
pub(crate) fn refusal<T: std::fmt::Debug, E: std::fmt::Debug>(
    ended: Result<T, CallError<E>>,
) -> rpc_runtime::Fault {
    match ended {
        Err(CallError::Refused(fault)) => fault,
        other => panic!("not refused: {other:?}"),
    }
}
