//! The example programs, started like a user does, with RabbitMQ and with plain pika programs.

use std::time::{Duration, Instant};

use rpc_runtime::{Broker, UntypedClient};
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
async fn fibonacci_works_over_rabbitmq() {
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
async fn the_amqp_example_publishes_and_consumes() {
    let program = Process::example("publish_and_consume", &[url().await]).await;
    let lines = program.success(PATIENCE).await;
    let line = |text: &str| lines.lines().any(|line| line == text);
    for index in [0, 1, 3] {
        assert!(line(&format!("confirmed message-{index}: Ack")), "{lines}");
        assert!(line(&format!("received hello {index}")), "{lines}");
    }
    assert!(line("returned message-2") && line("confirmed message-2: Ack"), "{lines}");
    assert!(line("done: this program closed it"), "{lines}");
}

#[tokio::test]
async fn a_client_without_a_broker_fails_soon() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let address = format!("amqp://127.0.0.1:{port}");
    let mut client = Process::example("fibonacci_client", &["--broker", &address]).await;
    let started = Instant::now();
    assert!(!client.wait(PATIENCE).await.success());
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let output = client.lines().join("\n");
    assert!(output.contains("refused") && output.contains("wait_for_broker"), "{output}");
}

#[tokio::test]
async fn the_tutorials_programs_call_each_other() {
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
async fn plus_hundred_is_called_and_served_by_pika() {
    let url = url().await;
    // Started like users do, on its fixed queue.
    let ours = Process::example("plus_hundred_server", &["--broker", url]).await;
    ours.line_with("serving s14rpc", PATIENCE).await;
    for generation in ["older", "current"] {
        let arguments = [url, "s14rpc", "5", "--generation", generation];
        let theirs = Python::find().start("tutorial_client.py", &arguments);
        assert_eq!(theirs.success(PATIENCE).await, "105", "{generation}");
    }
    stop(ours).await;
    delete(url, "s14rpc").await;

    let queue = unique("s14rpc");
    let theirs = Python::find().start("plus_hundred_server.py", &[url, &queue]);
    theirs.line_with("ready", PATIENCE).await;
    let asking = ["--broker", url, "--queue", &queue, "--", "-7"];
    let client = Process::example("plus_hundred_client", &asking).await;
    client.line_with("-7 + 100 = 93", PATIENCE).await;
    client.success(PATIENCE).await;
    stop(theirs).await;
    delete(url, &queue).await;
}

#[tokio::test]
async fn each_echo_reaches_its_caller() {
    for address in ["", url().await] {
        let echo = Process::example_with("echo", &[], &[("AMQP_URL", address)]).await;
        let line = echo.line_with("500 calls: ", PATIENCE).await;
        let ends: Vec<u32> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        assert_eq!(ends[1..].iter().sum::<u32>(), 500, "{line}");
        assert!(ends.len() == 4 && ends[3] > 0, "some are late: {line}");
        echo.success(PATIENCE).await;
    }
}

#[tokio::test]
async fn two_services_share_a_server() {
    let alone = Process::example_with("two_services", &[], &[("AMQP_URL", "")]).await;
    alone.line_with("ordered so far: (1, 1)", PATIENCE).await;
    alone.line_with("refused: coffee is not sold here", PATIENCE).await;
    alone.line_with("one server serves Catalog and Orders", PATIENCE).await;
    alone.success(PATIENCE).await;

    let over_rabbitmq = Process::example("two_services", &["--broker", url().await]).await;
    over_rabbitmq.line_with("one server serves Catalog and Orders", PATIENCE).await;
    over_rabbitmq.success(PATIENCE).await;
    for queue in ["Catalog", "Orders"] {
        delete(url().await, queue).await;
    }
}

#[tokio::test]
async fn a_nested_call_ends_with_its_parent() {
    let alone = Process::example_with("nested_calls", &[], &[("AMQP_URL", "")]).await;
    let seen = alone.line_with("warehouse: tea, within ", PATIENCE).await;
    let left: u64 = seen.split_whitespace().rev().nth(1).unwrap().parse().unwrap();
    assert!((1..=2000).contains(&left), "{seen}: what is left of the customer's two seconds");
    alone.line_with("tea: sold", PATIENCE).await;

    let cake = alone.line_with("cake: ", PATIENCE).await;
    let ended = [
        "cake: Shop.buy: no answer within 2 s; it may have run",
        "cake: Shop.buy: the warehouse is slow today",
    ];
    assert!(ended.contains(&cake.as_str()), "{cake}: both have the same deadline");
    alone.line_with("warehouse: nobody waits for cake any more", PATIENCE).await;

    let seen = alone.line_with("warehouse: coffee, within ", PATIENCE).await;
    let left: u64 = seen.split_whitespace().rev().nth(1).unwrap().parse().unwrap();
    assert!((1..=1000).contains(&left), "{seen}: half of that");
    alone.line_with("coffee: the warehouse is slow today", PATIENCE).await;
    alone.success(PATIENCE).await;
}

#[tokio::test]
async fn sigterm_finishes_requests_in_progress() {
    let queue = unique("press");
    let arguments = ["--broker", url().await, "--queue", &queue];
    let mut ending = Process::example("graceful_shutdown", &arguments).await;
    ending.line_with("serving", PATIENCE).await;

    let broker = Broker::connect(url().await).await.unwrap();
    let client = UntypedClient::new(&broker, &queue).timeout(PATIENCE);
    let print = |pages: &'static str| tokio::spawn(client.call("print", pages));
    let begun = print("[30]");
    ending.line_with("printing 30 pages", PATIENCE).await;
    let waiting = print("[1]");
    eventually_async("the other request is in the queue", PATIENCE, async || {
        let state = broker.queue_state(&queue).await.unwrap()?;
        (state.messages == 1).then_some(())
    })
    .await;

    ending.terminate();
    let answer = begun.await.unwrap().unwrap().to_string();
    assert_eq!(answer, format!("\"30 pages by {}\"", ending.id()));
    let status = ending.wait(PATIENCE).await;
    assert!(status.success(), "{status}: {:?}", ending.lines());
    let lines = ending.lines();
    let place = |line: &str| lines.iter().position(|printed| printed == line);
    assert!(place("health: draining").is_some(), "{lines:?}");
    assert!(place("health: draining") < place("printed 30 pages"), "{lines:?}");

    let next = Process::example("graceful_shutdown", &arguments).await;
    let answer = waiting.await.unwrap().unwrap().to_string();
    assert_eq!(answer, format!("\"1 pages by {}\"", next.id()));
    stop(next).await;
    delete(url().await, &queue).await;
}

#[tokio::test]
async fn a_caller_may_call_only_permitted_methods() {
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
async fn a_purchase_with_a_lost_reply_is_paid() {
    let alone = Process::example("testing_a_service", &[]).await;
    alone.line_with("the customer gets: Paid", PATIENCE).await;
    alone.success(PATIENCE).await;
}

#[tokio::test]
async fn a_program_that_uses_lapin_shares_its_connecting() {
    let program = Process::example("over_lapin", &["--broker", url().await]).await;
    program.line_with("a queue of its own: 0 messages", PATIENCE).await;
    program.line_with("\"over lapin\" has 9 letters", PATIENCE).await;
    program.success(PATIENCE).await;
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
        let bucket = page.lines().find(|line| {
            line.starts_with("rpc_client_call_duration_seconds_bucket{")
                && line.contains("outcome=\"result\"")
                && line.contains("le=\"10\"")
        })?;
        let filled = bucket.rsplit(' ').next()?.parse::<u64>().ok()? > 0;
        (page.contains(counted) && filled && !page.contains("quantile=")).then_some(())
    })
    .await;
    stop(example).await;
}

#[tokio::test]
async fn wrong_arguments_of_an_example_are_explained() {
    let mut wrong = Process::example("tutorial_server", &["--quorum", "--passive"]).await;
    assert!(!wrong.wait(PATIENCE).await.success(), "both cannot be");
    assert_eq!(wrong.lines(), ["Error: --quorum and --passive exclude each other"]);

    let mut wrong = Process::example("fibonacci_client", &["--brokr=amqp://localhost"]).await;
    assert!(!wrong.wait(PATIENCE).await.success(), "there is no such option");
    assert_eq!(wrong.lines(), ["Error: invalid option '--brokr'; see --help"]);
}

#[tokio::test]
async fn help_of_an_example_only_prints() {
    let asking = ["--broker", "amqp://user:secret@localhost", "--help"];
    let help = Process::example("tutorial_client", &asking).await.success(PATIENCE).await;
    assert!(help.starts_with("Usage: tutorial_client [--broker URL] [--queue NAME] [N]"), "{help}");
    assert!(!help.contains("Requesting") && !help.contains("secret"), "{help}");
}

/// The page `/metrics` of an HTTP server.
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
