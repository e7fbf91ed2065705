//! The example programs, as a user starts them, against RabbitMQ and against plain pika programs.

use std::time::Duration;

use rpc_tests::{Peer, Process, Python, Rabbit, eventually_async, unique};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const PATIENCE: Duration = Duration::from_secs(60);

async fn url() -> &'static str {
    Rabbit::shared().await.url()
}

async fn stop(mut server: Process) {
    server.interrupt();
    let status = server.wait(PATIENCE).await;
    assert!(status.success(), "{status}: {:?}", server.lines());
}

#[tokio::test]
async fn fibonacci_needs_no_broker() {
    let alone = Process::example_with("fibonacci", &[], &[("AMQP_URL", "")]).await;
    alone.line_with("fib(30) = 832040", PATIENCE).await;
    alone.success(PATIENCE).await;
}

#[tokio::test]
async fn fibonacci_over_rabbitmq_is_one_program_or_several_and_servers_drain() {
    let broker = ["--broker", url().await];
    let one = Process::example("fibonacci", &broker).await;
    one.line_with("fib(30) = 832040", PATIENCE).await;
    one.success(PATIENCE).await;

    let servers = [
        Process::example("fibonacci_server", &broker).await,
        Process::example("fibonacci_server", &broker).await,
    ];
    for server in &servers {
        server.line_with("serving", PATIENCE).await;
    }
    let client = Process::example("fibonacci_client", &[&broker[..], &["30", "94"]].concat()).await;
    client.line_with("fib(30) = 832040", PATIENCE).await;
    client.line_with("does not fit 64 bits", PATIENCE).await;
    client.success(PATIENCE).await;
    for server in servers {
        stop(server).await;
    }
    delete(url().await, "Fibonacci").await;
}

#[tokio::test]
async fn the_tutorials_programs_understand_each_other() {
    let url = url().await;
    for (generation, options) in [("older", &[][..]), ("current", &["--quorum"][..])] {
        let queue = unique("tutorial");
        let arguments = [&["--broker", url, "--queue", &queue][..], options].concat();
        let ours = Process::example("tutorial_server", &arguments).await;
        ours.line_with("Awaiting", PATIENCE).await;
        let arguments = [url, &queue, "30", "--generation", generation];
        let theirs = Python::find().start("tutorial_client.py", &arguments);
        assert_eq!(theirs.success(PATIENCE).await, "832040", "{generation}");
        stop(ours).await;
        delete(url, &queue).await;

        let queue = unique("tutorial");
        let arguments = [url, &queue, "--generation", generation];
        let theirs = Python::find().start("tutorial_server.py", &arguments);
        theirs.line_with("ready", PATIENCE).await;
        let worker = ["--broker", url, "--queue", &queue, "--passive"];
        let ours = Process::example("tutorial_server", &worker).await;
        ours.line_with("Awaiting", PATIENCE).await;
        for _ in 0..2 {
            let asking = ["--broker", url, "--queue", &queue, "30"];
            let client = Process::example("tutorial_client", &asking).await;
            client.line_with("Got 832040", PATIENCE).await;
            client.success(PATIENCE).await;
        }
        assert!(ours.lines().iter().any(|line| line.contains("fib(30)")), "it has its share");
        stop(ours).await;
        stop(theirs).await;
        delete(url, &queue).await;
    }
}

#[tokio::test]
async fn a_caller_may_call_what_is_permitted_to_it() {
    let queue = unique("authorization");
    let arguments = ["--broker", url().await, "--queue", &queue];
    let alone = Process::example("authorization", &arguments).await;
    alone.line_with("fib(30) = 832040", PATIENCE).await;
    alone.line_with("not-permitted: guest may not call Fibonacci.count", PATIENCE).await;
    alone.success(PATIENCE).await;
    delete(url().await, &queue).await;
}

#[tokio::test]
async fn a_cached_method_runs_once_for_each_city() {
    let alone = Process::example_with("cached", &[], &[("AMQP_URL", "")]).await;
    alone.line_with("2 forecasts were made", PATIENCE).await;
    alone.success(PATIENCE).await;
}

#[tokio::test]
async fn spans_are_shown_on_the_console() {
    let alone = Process::example_with("tracing_console", &[], &[("AMQP_URL", "")]).await;
    for span in ["rpc.call{otel.name=Fibonacci/fib", "rpc.request{otel.name=Fibonacci/fib"] {
        alone.line_with(span, PATIENCE).await;
    }
    alone.success(PATIENCE).await;
}

#[tokio::test]
async fn metrics_are_served_to_prometheus() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let address = free.to_string();
    let example =
        Process::example_with("prometheus", &["--listen", &address], &[("AMQP_URL", "")]).await;
    example.line_with("metrics at", PATIENCE).await;
    let counted = r#"rpc_server_requests_total{service="Fibonacci",method="fib",outcome="result"}"#;
    eventually_async("metrics are served", PATIENCE, async || {
        let page = page(&address).await.ok()?;
        page.contains(counted).then_some(())
    })
    .await;
    stop(example).await;
}

/// What an HTTP server says at `/metrics`.
async fn page(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    Ok(page)
}

async fn delete(url: &str, queue: &str) {
    Peer::connect(url).await.unwrap().delete(queue).await.unwrap();
}
