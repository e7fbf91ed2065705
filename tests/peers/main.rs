//! Client frameworks in JavaScript, Ruby and Java with ours, in both directions. `scripts/test-peers` installs them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking; the standard message is enough where the line says what was expected"
)]

use std::{path::PathBuf, time::Duration};

use rpc_runtime::{Broker, CallError, Queue, Server, rpc_service};
use rpc_tests::{Peer, Process, Rabbit, unique};
use tokio::process::Command;

/// Java compiles its program first.
const PATIENCE: Duration = Duration::from_secs(60);

/// For peers that use JSON.
#[rpc_service(encoding = "json")]
trait Halves {
    /// Half of an even number.
    async fn half(&self, n: i64) -> Result<i64, String>;
}

/// For peers that use text and name no method.
#[rpc_service(encoding = "text")]
trait PlainHalves {
    async fn half(&self, n: i64) -> i64;
}

/// The part of the guide's service that its Java program calls.
#[rpc_service]
trait Numbers {
    async fn root(&self, n: u64) -> Result<u64, String>;
}

struct Halver;

impl Numbers for Halver {
    async fn root(&self, n: u64) -> Result<u64, String> {
        Some(n.isqrt()).filter(|root| root * root == n).ok_or_else(|| format!("{n} is no square"))
    }
}

impl Halves for Halver {
    async fn half(&self, n: i64) -> Result<i64, String> {
        if n % 2 == 0 { Ok(n / 2) } else { Err(format!("{n} is odd")) }
    }
}

impl PlainHalves for Halver {
    async fn half(&self, n: i64) -> i64 {
        n / 2
    }
}

/// The language of a peer.
enum Language {
    JavaScript,
    Ruby,
    Java,
}

impl Language {
    /// Starts one of the programs in this directory.
    fn start(&self, program: &str, url: &str, queue: &str) -> Process {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers");
        let mut command = match self {
            Self::JavaScript => {
                let mut node = Command::new("node");
                let target = here.join("../../target/peers/node_modules");
                node.env(
                    "NODE_PATH",
                    std::env::var_os("RPC_TEST_NODE_PATH").unwrap_or(target.into()),
                );
                node.arg(here.join("javascript").join(program));
                node
            }
            Self::Ruby => {
                let mut ruby = Command::new("ruby");
                ruby.arg(here.join("ruby").join(program));
                ruby
            }
            Self::Java => {
                let mut java = Command::new("java");
                java.args(["-cp", "/usr/share/java/amqp-client.jar:/usr/share/java/slf4j-api.jar"]);
                java.arg(here.join("java").join(program));
                java
            }
        };
        command.args([url, queue]).env("AMQP_URL", url);
        Process::start(program, command)
    }
}

/// The output of a client that calls our server.
async fn client_prints(language: Language, program: &str, encoding: &str) -> String {
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    let queue = unique("peers");
    let server = Server::builder(&broker);
    let on = Queue::named(&queue);
    let server = match encoding {
        "json" => server.service_on(on, HalvesServer::new(Halver)),
        _ => server.service_on(on, PlainHalvesServer::new(Halver)),
    };
    let server = server.start().await.unwrap();
    let printed = language.start(program, url, &queue).success(PATIENCE).await;
    server.shutdown().await.unwrap();
    delete(url, &queue).await;
    printed
}

/// A server of the peer, and its queue.
async fn serving(language: Language, program: &str) -> (Broker, String, Process) {
    let url = Rabbit::shared().await.url();
    let queue = unique("peers");
    let server = language.start(program, url, &queue);
    server.line_with("ready", PATIENCE).await;
    (Broker::connect(url).await.unwrap(), queue, server)
}

fn json_client(broker: &Broker, queue: &str) -> HalvesClient {
    HalvesClient::builder(broker).queue(queue).timeout(PATIENCE).build()
}

async fn ended(mut server: Process, queue: &str) {
    server.terminate();
    server.wait(PATIENCE).await;
    delete(Rabbit::shared().await.url(), queue).await;
}

async fn delete(url: &str, queue: &str) {
    Peer::connect(url).await.unwrap().delete(queue).await.unwrap();
}

#[tokio::test]
async fn amqplib_calls() {
    let printed = client_prints(Language::JavaScript, "amqplib_client.js", "json").await;
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[..2], ["result 4", r#"error "7 is odd""#]);
    let fault = lines[2].strip_prefix("fault ").expect("the argument is no number");
    let fault: serde_json::Value = serde_json::from_str(fault).unwrap();
    assert_eq!(fault["err"]["fault"], "bad-arguments", "{fault}");
    assert_eq!(lines[3..], ["result 4"]);
}

#[tokio::test]
async fn amqplib_serves() {
    let (broker, queue, server) = serving(Language::JavaScript, "amqplib_server.js").await;
    let client = json_client(&broker, &queue);
    assert_eq!(client.half(8).await.unwrap(), 4);
    let error = client.half(7).await.unwrap_err();
    assert!(matches!(&error, CallError::Application(odd) if odd == "7 is odd"), "{error:?}");
    ended(server, &queue).await;
}

#[tokio::test]
async fn nest_calls() {
    let printed = client_prints(Language::JavaScript, "nest_client.js", "json").await;
    assert_eq!(printed, "result 4\nrefused bad-arguments");
}

#[tokio::test]
async fn nest_serves() {
    let (broker, queue, server) = serving(Language::JavaScript, "nest_server.js").await;
    let client = json_client(&broker, &queue);
    assert_eq!(client.half(8).await.unwrap(), 4);
    let error = client.half(7).await.unwrap_err();
    assert!(matches!(&error, CallError::Application(odd) if odd == "7 is odd"), "{error:?}");
    ended(server, &queue).await;
}

#[tokio::test]
async fn golevelup_calls() {
    let printed = client_prints(Language::JavaScript, "golevelup_client.js", "json").await;
    assert!(printed.starts_with("result 4\nrefused bad-arguments: "), "{printed}");
}

#[tokio::test]
async fn golevelup_serves() {
    let (broker, queue, server) = serving(Language::JavaScript, "golevelup_server.js").await;
    assert_eq!(json_client(&broker, &queue).half(8).await.unwrap(), 4);
    ended(server, &queue).await;
}

#[tokio::test]
async fn bunny_calls() {
    let printed = client_prints(Language::Ruby, "bunny_client.rb", "text").await;
    let refused = printed.strip_prefix("result 4\n").expect(&printed);
    assert!(refused.starts_with("fault fault: bad-arguments: "), "{refused}");
}

#[tokio::test]
async fn bunny_serves() {
    let (broker, queue, server) = serving(Language::Ruby, "bunny_server.rb").await;
    let client = PlainHalvesClient::builder(&broker).queue(&queue).timeout(PATIENCE).build();
    assert_eq!(client.half(8).await.unwrap(), 4);
    ended(server, &queue).await;
}

#[tokio::test]
async fn the_java_client_calls() {
    let printed = client_prints(Language::Java, "Caller.java", "text").await;
    let lines: Vec<&str> = printed.lines().filter(|line| !line.starts_with("SLF4J")).collect();
    assert_eq!(lines[0], "result 4");
    assert!(lines[1].starts_with("fault fault: bad-arguments: "), "{printed}");
}

#[tokio::test]
async fn the_java_program_of_the_guide_calls() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    let server =
        Server::builder(&broker).service(NumbersServer::new(Halver)).start().await.unwrap();
    let called = Language::Java.start("Call.java", url, "").success(PATIENCE).await;
    assert_eq!(called.lines().find(|line| !line.starts_with("SLF4J")), Some("12"), "{called}");
    server.shutdown().await.unwrap();
    delete(url, "Numbers").await;
}

#[tokio::test]
async fn the_java_client_serves() {
    let (broker, queue, server) = serving(Language::Java, "Responder.java").await;
    let client = PlainHalvesClient::builder(&broker).queue(&queue).timeout(PATIENCE).build();
    assert_eq!(client.half(8).await.unwrap(), 4);
    ended(server, &queue).await;
}
