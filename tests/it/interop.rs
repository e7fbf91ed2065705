//! The tutorial's Fibonacci program: real pika and aio-pika with ours, in both directions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rpc_runtime::{Broker, Encoding, Queue, Server, rpc_service};
use rpc_tests::{Peer, Process, Python, QueueSpec, Rabbit, unique};

const PATIENCE: Duration = Duration::from_secs(30);

/// The service of the RabbitMQ tutorial: a number in plain text, no method name.
#[rpc_service(encoding = "text")]
trait Tutorial {
    #[rpc(default)]
    async fn fib(&self, n: u64) -> u64;
}

/// Counts the requests.
#[derive(Default)]
struct Worker {
    asked: AtomicUsize,
}

impl Tutorial for Worker {
    async fn fib(&self, n: u64) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed);
        (0..n).fold((0, 1), |(one, next), _| (next, one + next)).0
    }
}

#[tokio::test]
async fn pika_and_aio_pika_call_a_rust_server() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    let queue = unique("rust-server");
    let server = serve(&broker, Queue::named(&queue), Worker::default()).await;

    for client in ["tutorial_client.py", "aio_client.py"] {
        for generation in ["older", "current"] {
            let client =
                Python::find().start(client, &[url, &queue, "30", "--generation", generation]);
            assert_eq!(client.success(PATIENCE).await, "832040", "{generation}");
        }
    }
    server.shutdown().await.unwrap();
    delete(url, &queue).await;
}

#[tokio::test]
async fn a_json_call_names_its_argument() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    let queue = unique("json");
    let server = serve(&broker, Queue::named(&queue), Worker::default()).await;

    let client = Python::find().start("json_client.py", &[url, &queue, "fib", r#"{"n": 30}"#]);
    assert_eq!(client.success(PATIENCE).await, "result 832040");
    server.shutdown().await.unwrap();
    delete(url, &queue).await;
}

#[tokio::test]
async fn a_rust_client_calls_pika_and_aio_pika() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    for generation in generations(url).await {
        for server in ["tutorial_server.py", "aio_server.py"] {
            let (queue, mut server) = python_server(url, server, generation).await;
            let client = client(&broker, &queue);
            assert_eq!(client.fib(30).await.unwrap(), 832_040, "{generation}");
            stop(&mut server).await;
            delete(url, &queue).await;
        }
    }
}

/// Today's tutorial declares a quorum queue without a limit. Both declarations agree in either order.
#[tokio::test]
async fn a_quorum_queue_matches_the_tutorials() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    for theirs_first in [true, false] {
        let queue = unique("tutorial");
        let quorum = Queue::named(&queue).quorum();
        let ours = quorum.clone().no_delivery_limit();
        let arguments = [url, &queue, "--generation", "current"];
        let (rust, mut python);
        if theirs_first {
            python = Python::find().start("tutorial_server.py", &arguments);
            python.line_with("ready", PATIENCE).await;
            rust = serve(&broker, ours, Worker::default()).await;
        } else {
            rust = serve(&broker, ours, Worker::default()).await;
            python = Python::find().start("tutorial_server.py", &arguments);
            python.line_with("ready", PATIENCE).await;
        }
        assert_eq!(client(&broker, &queue).fib(30).await.unwrap(), 832_040);
        // The default limit makes it another declaration.
        let limited = Server::builder(&broker)
            .service_on(quorum, TutorialServer::new(Worker::default()))
            .start()
            .await;
        let refused = limited.unwrap_err().to_string();
        assert!(refused.contains("x-delivery-limit"), "{refused}");
        rust.shutdown().await.unwrap();
        stop(&mut python).await;
        delete(url, &queue).await;
    }
}

#[tokio::test]
async fn rust_and_python_servers_share_a_queue() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    for generation in generations(url).await {
        let (queue, mut python) = python_server(url, "tutorial_server.py", generation).await;
        let worker = Arc::new(Worker::default());
        let rust = serve(&broker, Queue::named(&queue).passive(), Arc::clone(&worker)).await;

        let client = client(&broker, &queue);
        for _ in 0..10 {
            assert_eq!(client.fib(30).await.unwrap(), 832_040, "{generation}");
        }
        let by_rust = worker.asked.load(Ordering::Relaxed);
        assert!(
            (1..10).contains(&by_rust),
            "{generation}: RabbitMQ takes turns, but Rust had {by_rust} of 10"
        );

        rust.shutdown().await.unwrap();
        stop(&mut python).await;
        let by_python = python.lines().iter().filter(|line| line.as_str() == "fib(30)").count();
        assert_eq!(by_rust + by_python, 10, "{generation}: each request ran once");
        delete(url, &queue).await;
    }
}

async fn serve<S: Tutorial>(broker: &Broker, queue: Queue, worker: S) -> Server {
    let server = Server::builder(broker).service_on(queue, TutorialServer::new(worker));
    server.concurrency(1).start().await.unwrap()
}

fn client(broker: &Broker, queue: &str) -> TutorialClient {
    TutorialClient::builder(broker).queue(queue).encoding(Encoding::Text).timeout(PATIENCE).build()
}

async fn python_server(url: &str, script: &str, generation: &str) -> (String, Process) {
    let queue = unique("python-server");
    let server = Python::find().start(script, &[url, &queue, "--generation", generation]);
    server.line_with("ready", PATIENCE).await;
    (queue, server)
}

async fn stop(server: &mut Process) {
    server.terminate();
    let status = server.wait(PATIENCE).await;
    assert!(status.success(), "{status}: {:?}", server.lines());
}

async fn delete(url: &str, queue: &str) {
    Peer::connect(url).await.unwrap().delete(queue).await.unwrap();
}

/// Both generations of the tutorial. RabbitMQ 4.3 refuses the older one's queue, so from there only the current one.
async fn generations(url: &str) -> Vec<&'static str> {
    let peer = Peer::connect(url).await.unwrap();
    let version = peer.server_version().await.unwrap();
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or_default());
    if (numbers.next(), numbers.next()) < (Some(4), Some(3)) {
        return vec!["older", "current"];
    }
    let refused = peer.declare(QueueSpec::named(unique("older"))).await.unwrap_err();
    assert_eq!(refused.code, Some(541), "{refused}");
    vec!["current"]
}
