//! The error output of programs that cannot connect: of each example and of the guide's client, for each kind of wrong
//! address. Whole lines are compared.

use std::time::Duration;

use rpc_tests::{Node, NodeBuilder, Peer, Process, QueueSpec};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};

/// Without any answer a program gives up after 3 seconds. The rest is for a slow machine.
const SOON: Duration = Duration::from_secs(6);

/// The deadlines of these calls are at most 10 seconds.
const AFTER_THE_DEADLINE: Duration = Duration::from_secs(16);

/// The service and the method that a client calls first, and the queue.
const CLIENTS: [(&str, &str, &str); 4] = [
    ("fibonacci_client", "Fibonacci.fib", "Fibonacci"),
    ("tutorial_client", "Tutorial.fib", "rpc_queue"),
    ("plus_hundred_client", "PlusHundred.add", "s14rpc"),
    ("guide_client", "Numbers.sum", "Numbers"),
];

/// Other programs that connect: servers, and programs that do both.
const OTHERS: [&str; 11] = [
    "fibonacci",
    "fibonacci_server",
    "tutorial_server",
    "plus_hundred_server",
    "two_services",
    "nested_calls",
    "authorization",
    "graceful_shutdown",
    "cached",
    "prometheus",
    "tracing_console",
];

/// The error that a failing program prints within this time.
async fn error_of(program: &str, address: &str, within: Duration) -> String {
    let arguments = if program == "prometheus" { &["--listen", "127.0.0.1:0"][..] } else { &[] };
    // All but the guide's client read the address like `--broker`.
    let mut process = Process::example_with(program, arguments, &[("AMQP_URL", address)]).await;
    let status = process.wait(within).await;
    assert_eq!(status.code(), Some(1), "{program}: {:?}", process.lines());
    let lines = process.lines();
    // The tutorial's client first prints its request, and one example prints its log.
    let is_other = |line: &&String| {
        line.starts_with(" [x] ") || program == "tracing_console" && !line.starts_with("Error: ")
    };
    let errors: Vec<&String> = lines.iter().filter(|line| !is_other(line)).collect();
    assert_eq!(errors.len(), 1, "{program} prints one line: {lines:?}");
    assert!(!lines.join("\n").contains("sw0rdfish"), "{lines:?}");
    errors[0].clone()
}

/// Checks that every program prints this error for this address.
async fn all_print(address: &str, expected: &str) {
    let clients = CLIENTS.iter().map(|(client, ..)| *client);
    let mut running = JoinSet::new();
    for program in clients.chain(OTHERS) {
        let address = address.to_owned();
        running.spawn(async move { (program, error_of(program, &address, SOON).await) });
    }
    while let Some(ended) = running.join_next().await {
        let (program, printed) = ended.unwrap();
        assert_eq!(printed, expected, "{program}");
    }
}

const MAY_BE_STARTING: &str =
    "if the broker may still be starting, wait for it with `BrokerBuilder::wait_for_broker`";

fn speaks_http(port: u16) -> String {
    format!(
        "what answers at amqp://127.0.0.1:{port}/%2f does not speak AMQP 0-9-1 but HTTP: the port of RabbitMQ is 5672 by default, and 15672 that of its web pages; {MAY_BE_STARTING}"
    )
}

#[tokio::test]
async fn without_a_broker_programs_name_address_and_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    all_print(
        &format!("amqp://guest:sw0rdfish@localhost:{port}"),
        &format!(
            "Error: no broker answers at amqp://localhost:{port}/%2f: Connection refused (os error 111); {MAY_BE_STARTING}"
        ),
    )
    .await;
}

#[tokio::test]
async fn programs_recognize_a_port_of_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let http = tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read_exact(&mut [0; 8]).await;
            let _ =
                socket.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
        }
    });
    all_print(
        &format!("amqp://guest:sw0rdfish@127.0.0.1:{port}"),
        &format!("Error: {}", speaks_http(port)),
    )
    .await;
    http.abort();
}

/// These ports send nothing until they have received a whole line.
#[tokio::test]
async fn programs_recognize_rabbitmqs_web_port() {
    let port = NodeBuilder::free_port();
    let pages = format!("management.tcp.port = {port}");
    let _node = Node::builder().plugin("rabbitmq_management").config(pages).start().await;
    all_print(
        &format!("amqp://guest:guest@127.0.0.1:{port}"),
        &format!("Error: {}", speaks_http(port)),
    )
    .await;
}

#[tokio::test]
async fn refusals_of_the_broker_are_named() {
    let node = Node::start().await;
    let port = node.port();
    all_print(
        &node.url_for("guest", "sw0rdfish", "%2f"),
        &format!(
            "Error: amqp://127.0.0.1:{port}/%2f does not accept the password of the user \"guest\", or does not know the user"
        ),
    )
    .await;
    all_print(
        &node.url_for("guest", "guest", "nowhere"),
        &format!(
            "Error: amqp://127.0.0.1:{port}/nowhere does not let the user \"guest\" into the virtual host \"nowhere\": NOT_ALLOWED - vhost nowhere not found"
        ),
    )
    .await;
    all_print(
        &node.url().replace("amqp:", "amqps:"),
        &format!(
            "Error: what answers at amqps://127.0.0.1:{port}/%2f does not speak TLS: it is probably the port without TLS, which is 5672 by default; write amqp:// for it, or the port with TLS, which is 5671 by default"
        ),
    )
    .await;
    for (client, method, queue) in CLIENTS {
        assert_eq!(
            error_of(client, &node.url(), SOON).await,
            format!(
                "Error: {method}: no server (the queue {queue:?} does not exist on amqp://127.0.0.1:{port}/%2f; has a server of this service ever run there?)"
            )
        );
    }
}

#[tokio::test]
async fn clients_name_the_time_without_a_server() {
    let node = Node::start().await;
    let peer = Peer::connect(&node.url()).await.unwrap();
    let mut running = JoinSet::new();
    // The tutorial's client waits for thirty seconds.
    for (client, within) in
        [("fibonacci_client", "5 s"), ("plus_hundred_client", "10 s"), ("guide_client", "10 s")]
    {
        let (_, method, queue) = *CLIENTS.iter().find(|(name, ..)| *name == client).unwrap();
        peer.declare(QueueSpec::named(queue).durable().classic()).await.unwrap();
        let url = node.url();
        running.spawn(async move {
            let printed = error_of(client, &url, AFTER_THE_DEADLINE).await;
            let expected = format!("Error: {method}: no answer within {within}; it may have run");
            assert_eq!(printed, expected);
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}
