//! The service under test, in a virtual host of its own for each test.

use std::time::Duration;

use rpc_runtime::{Broker, Context, Queue, Server, rpc_service};
use rpc_tests::{Node, unique};
use tokio::sync::{Mutex, OnceCell};

use crate::run::{Ended, rpc};

/// Sums and quotients.
///
/// For tests alone.
#[rpc_service]
pub(crate) trait Calculator {
    /// The sum of two numbers.
    #[rpc(idempotent)]
    async fn add(&self, a: u32, b: u32) -> u32;

    /// The quotient; there is none by zero.
    async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, String>;

    async fn largest(&self) -> u128;

    /// A header of the request.
    async fn header(&self, name: String) -> Option<String>;

    /// Never ends.
    #[rpc(timeout = "100ms")]
    async fn wait(&self);

    async fn explode(&self);

    #[rpc(oneway)]
    async fn forget(&self);
}

pub(crate) struct Exact;

impl Calculator for Exact {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, String> {
        dividend.checked_div(divisor).ok_or_else(|| format!("{dividend} by zero"))
    }

    async fn largest(&self) -> u128 {
        u128::MAX
    }

    async fn header(&self, name: String) -> Option<String> {
        Context::current()?.header(&name).map(str::to_owned)
    }

    async fn wait(&self) {
        std::future::pending::<()>().await;
    }

    async fn explode(&self) {
        panic!("nobody sees this")
    }

    async fn forget(&self) {}
}

/// One node for all tests here.
pub(crate) async fn node() -> &'static Node {
    static NODE: OnceCell<Node> = OnceCell::const_new();
    NODE.get_or_init(Node::start).await
}

/// A virtual host for one test.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) broker: Broker,
}

impl Place {
    pub(crate) async fn new() -> Self {
        // One at a time: the node mixes up two that are created at once.
        static MAKING: Mutex<()> = Mutex::const_new(());
        let (node, name) = (node().await, unique("place"));
        // The same as `rabbitmqctl`, which takes seconds to start.
        let all = "<<\".*\">>";
        let made = format!(
            "rabbit_vhost:add(<<\"{name}\">>, <<\"test\">>), \
             rabbit_auth_backend_internal:set_permissions(\
             <<\"guest\">>, <<\"{name}\">>, {all}, {all}, {all}, <<\"test\">>)."
        );
        let making = MAKING.lock().await;
        assert_eq!(node.eval(&made).await, "ok");
        drop(making);
        let url = node.url_for("guest", "guest", &name);
        let broker = Broker::connect(&url).await.unwrap();
        Self { url, broker }
    }

    /// A server of the calculator.
    pub(crate) async fn serve(&self) -> Server {
        self.serve_on("Calculator").await
    }

    pub(crate) async fn serve_on(&self, queue: &str) -> Server {
        Server::builder(&self.broker)
            .grace_period(Duration::ZERO)
            .service_on(Queue::named(queue), CalculatorServer::new(Exact))
            .start()
            .await
            .unwrap()
    }

    /// Runs the program here.
    pub(crate) async fn rpc(&self, arguments: &[&str]) -> Ended {
        rpc(&self.url, arguments).await
    }
}
