//! A server that tests kill, terminate and disconnect: `fault_server URL QUEUE DIRECTORY MILLISECONDS [quorum LIMIT]`.
//!
//! It serves until SIGTERM, or dies at the failpoint in `RPC_FAILPOINT`.

use std::env;
use std::path::Path;
use std::time::Duration;

use rpc_runtime::{Broker, Queue, Server};
use tokio::signal::unix::{SignalKind, signal};

mod ledger;
use ledger::{Book, LedgerServer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, queue, directory, pace, rest @ ..] = arguments.as_slice() else {
        return Err("fault_server URL QUEUE DIRECTORY MILLISECONDS [quorum LIMIT]".into());
    };
    let mut queue = Queue::named(queue).argument("x-expires", 300_000);
    if let [kind, limit] = rest
        && kind == "quorum"
    {
        queue = queue.quorum().delivery_limit(limit.parse()?);
    }
    let book = Book::open(Path::new(directory), Duration::from_millis(pace.parse()?));
    let mut terminated = signal(SignalKind::terminate())?;
    let broker = Broker::builder(url).heartbeat(Duration::from_secs(1)).connect().await?;
    let server = Server::builder(&broker)
        .service_on(queue, LedgerServer::new(book))
        .concurrency(32)
        // A discovery answer to another test would be its first reply, at which it may have to die.
        .discovery(false)
        .start()
        .await?;
    println!("serving");
    let stats = {
        terminated.recv().await;
        server.stats()
    };
    server.shutdown().await?;
    println!("ended in order after {} requests", stats.requests);
    Ok(())
}
