//! What the guide shows in other languages than Rust, as it stands there. Its Rust code is compiled by `examples/guide`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use numbers::{NoRoot, Numbers, NumbersClient, NumbersServer};
use rpc_runtime::{Broker, CallError, Encoding, FaultKind, Server};
use rpc_tests::{Peer, Process, Python, Rabbit};
use tempfile::TempDir;

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
fn the_library_of_getting_started_is_the_one_that_its_programs_are_compiled_against() {
    let library = read("examples/numbers/src/lib.rs");
    let (_, shown) = library.split_once("\n\n").unwrap();
    assert!(read("docs/getting-started.md").contains(&format!("\n```rust\n{shown}```\n")));
}

/// Its address is another, so that tests can start it.
#[test]
fn the_client_of_getting_started_is_the_one_that_tests_start() {
    let program = read("tests/programs/guide_client.rs");
    let (_, program) = program.split_once("\n\n").unwrap();
    let program = program.replace("&std::env::var(\"AMQP_URL\")?", "\"amqp://localhost\"");
    assert!(read("docs/getting-started.md").contains(&format!("\n```rust,no_run\n{program}```\n")));
}

/// Both halves use the queue that the page names, so they are one test.
#[tokio::test]
async fn the_python_programs_call_a_rust_server_and_serve_a_rust_client() {
    let url = Rabbit::shared().await.url();
    let broker = Broker::connect(url).await.unwrap();
    let programs = Programs::of("docs/other-languages.md");
    assert_eq!(programs.count, 3, "two that call, one that serves");

    let server =
        Server::builder(&broker).service(NumbersServer::new(Calculator)).start().await.unwrap();
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

/// The Python programs of a page, each in a file of its own.
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
