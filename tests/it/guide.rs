//! Runs the guide's programs in other languages, exactly as printed. `examples/guide` compiles its Rust code.

use std::fs;
use std::path::Path;
use std::time::Duration;

use numbers::{NoRoot, Numbers, NumbersClient, NumbersServer};
use rpc_runtime::{Broker, CallError, Encoding, FaultKind, Server, UntypedClient, rpc_service};
use rpc_tests::{Peer, Process, Python, Rabbit};
use tempfile::TempDir;
use tokio::sync::Mutex;

const PATIENCE: Duration = Duration::from_secs(60);

struct Calculator;

impl Numbers for Calculator {
    async fn root(&self, n: u64) -> Result<u64, NoRoot> {
        let below = n.isqrt();
        if below * below == n { Ok(below) } else { Err(NoRoot { below, above: below + 1 }) }
    }

    async fn sum(&self, numbers: Vec<u64>) -> u64 {
        numbers.iter().sum()
    }
}

#[test]
fn the_guides_library_is_compiled() {
    let library = read("examples/numbers/src/lib.rs");
    let (_, shown) = library.split_once("\n\n").unwrap();
    assert!(read("docs/getting-started.md").contains(&format!("\n```rust\n{shown}```\n")));
}

#[test]
fn the_guides_test_is_run() {
    let test = read("examples/numbers/tests/numbers.rs");
    let (_, test) = test.split_once("\n\n").unwrap();
    assert!(read("docs/getting-started.md").contains(&format!("\n```rust\n{test}```\n")));
}

/// Only its address differs, so that tests can start it.
#[test]
fn the_guides_client_is_tested() {
    let program = read("tests/programs/guide_client.rs");
    let (_, program) = program.split_once("\n\n").unwrap();
    let program = program.replace("&std::env::var(\"AMQP_URL\")?", "\"amqp://localhost\"");
    assert!(read("docs/getting-started.md").contains(&format!("\n```rust,no_run\n{program}```\n")));
}

/// The programs of the page use a fixed queue, so only one test runs at a time.
static NUMBERS: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn the_guides_python_programs_call_and_serve() {
    let _numbers = NUMBERS.lock().await;
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    let programs = Programs::of("docs/other-languages.md");
    assert_eq!(programs.count, 9, "two that call, one that serves, and a pair for each recipe");

    let server = Server::builder(&broker)
        .service(NumbersServer::new(Calculator))
        .require_caller() // it names its user
        .start()
        .await
        .unwrap();
    let printed = programs.start(0, url).success(PATIENCE).await;
    assert_eq!(
        printed.lines().collect::<Vec<_>>(),
        [
            "the sum is 6",
            "the root of 144 is 12",
            "no root: {'below': 12, 'above': 13}",
            "refused: bad-arguments there is no argument `number`; the method takes `n`",
            "nobody serves Letters",
        ]
    );
    server.shutdown().await.unwrap();
    let server =
        Server::builder(&broker).service(NumbersServer::new(Calculator)).start().await.unwrap();
    let printed = programs.start(1, url).success(PATIENCE).await;
    assert_eq!(
        printed.lines().collect::<Vec<_>>(),
        ["roots: [0, 1, 2, 3, 4]", "nobody serves Letters"]
    );
    server.shutdown().await.unwrap();

    let serving = programs.start(2, url);
    serving.line_with("serving Numbers", PATIENCE).await;
    let numbers =
        NumbersClient::builder(&broker).encoding(Encoding::Json).timeout(PATIENCE).build();
    assert_eq!(numbers.sum(vec![1, 2, 3]).await.unwrap(), 6);
    assert_eq!(numbers.root(144).await.unwrap(), 12);
    let no_root = numbers.root(150).await.unwrap_err();
    assert!(matches!(no_root.application(), Some(NoRoot { below: 12, above: 13 })), "{no_root:?}");
    let in_bincode = NumbersClient::builder(&broker).timeout(PATIENCE).build();
    match in_bincode.root(144).await {
        Err(CallError::Refused(fault)) => {
            assert_eq!(fault.kind(), FaultKind::UnsupportedEncoding);
        }
        other => panic!("{other:?}"),
    }
    drop(serving);
    Peer::connect(url).await.unwrap().delete("Numbers").await.unwrap();
}

/// The programs for kombu and FastStream, which print the same.
const NUMBERS_RECIPES: [(usize, usize); 2] = [(5, 6), (7, 8)];

#[tokio::test]
async fn the_recipes_call_and_serve_numbers() {
    let _numbers = NUMBERS.lock().await;
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    let programs = Programs::of("docs/other-languages.md");

    let server =
        Server::builder(&broker).service(NumbersServer::new(Calculator)).start().await.unwrap();
    for (caller, _) in NUMBERS_RECIPES {
        let printed = programs.start(caller, url).success(PATIENCE).await;
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines[..2], ["the sum is 6", "the root of 144 is 12"], "{printed}");
        assert_eq!(lines[2], "no root: {'below': 12, 'above': 13}", "{printed}");
        assert!(lines[3].starts_with("refused: "), "{printed}");
    }
    server.shutdown().await.unwrap();

    let numbers =
        NumbersClient::builder(&broker).encoding(Encoding::Json).timeout(PATIENCE).build();
    for (_, server) in NUMBERS_RECIPES {
        let serving = programs.start(server, url);
        serving.line_with("serving Numbers", PATIENCE).await;
        assert_eq!(numbers.sum(vec![1, 2, 3]).await.unwrap(), 6);
        let no_root = numbers.root(150).await.unwrap_err();
        assert!(matches!(no_root.application(), Some(NoRoot { below: 12, .. })), "{no_root:?}");
        match UntypedClient::new(&broker, "Numbers").call("cube", "[2]").await {
            Err(CallError::Refused(fault)) => {
                assert_eq!(fault.kind(), FaultKind::UnknownMethod);
                assert_eq!(fault.message(), "there is no 'cube' with such arguments");
            }
            other => panic!("{other:?}"),
        }
        drop(serving);
    }
    Peer::connect(url).await.unwrap().delete("Numbers").await.unwrap();
}

/// The service on the page.
#[rpc_service(queue = "multiply", encoding = "json")]
trait Multiply {
    #[rpc(name = "call")]
    async fn multiply(&self, x: i64, y: i64) -> Result<i64, String>;
}

struct Exact;

impl Multiply for Exact {
    async fn multiply(&self, x: i64, y: i64) -> Result<i64, String> {
        x.checked_mul(y).ok_or_else(|| "more than 64 bits".to_owned())
    }
}

#[tokio::test]
async fn json_rpc_of_aio_pika_calls_and_serves() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    let programs = Programs::of("docs/other-languages.md");

    let server =
        Server::builder(&broker).service(MultiplyServer::new(Exact)).start().await.unwrap();
    let printed = programs.start(3, url).success(PATIENCE).await;
    assert_eq!(
        printed.lines().collect::<Vec<_>>(),
        [
            "6 times 7 is 42",
            "the method's own error: more than 64 bits",
            "a fault: Unknown message type 'fault'",
        ]
    );
    server.shutdown().await.unwrap();
    let peer = Peer::connect(url).await.unwrap();
    peer.delete("multiply").await.unwrap();

    let serving = programs.start(4, url);
    serving.line_with("serving multiply", PATIENCE).await;
    let multiply = UntypedClient::new(&broker, "multiply");
    let product = multiply.call("call", r#"{"x": 6, "y": 7}"#).timeout(PATIENCE).await.unwrap();
    assert_eq!(&product.body[..], b"42");
    let raised = multiply.call("call", r#"{"x": 6}"#).timeout(PATIENCE).await.unwrap_err();
    let text = raised.application().expect("an error of the method's own").to_string();
    assert!(text.contains("TypeError"), "{text}");
    drop(serving);
    peer.delete("multiply").await.unwrap();
}

/// The Python programs of a page, each written to a file.
struct Programs {
    directory: TempDir,
    count: usize,
}

impl Programs {
    fn of(page: &str) -> Self {
        let page = read(page);
        let directory = TempDir::new().unwrap();
        let blocks = page.split("\n```python\n").skip(1);
        let programs: Vec<&str> =
            blocks.map(|block| block.split("\n```\n").next().unwrap()).collect();
        for (index, program) in programs.iter().enumerate() {
            fs::write(directory.path().join(format!("{index}.py")), program).unwrap();
        }
        Self { directory, count: programs.len() }
    }

    fn start(&self, index: usize, url: &str) -> Process {
        let path = self.directory.path().join(format!("{index}.py"));
        let mut command = Python::find().command(path.to_str().unwrap());
        command.env("AMQP_URL", url);
        Process::start(&format!("program {index} of the page"), command)
    }
}

fn read(path: &str) -> String {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(workspace.join(path)).unwrap()
}
