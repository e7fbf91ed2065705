//! Spans on the console: `cargo run -p examples-of-features --example tracing_console`.
//!
//! Each call and each request is a span with the method, the queue, the outcome and the duration. `RUST_LOG=debug` shows
//! more. docs/observation.md describes how to send spans to a collector.

use examples::{Failure, FibonacciClient, FibonacciServer, MaybeBroker, Sequence};
use rpc_runtime::Server;
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = MaybeBroker::parse()?;
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_span_events(FmtSpan::CLOSE)
        .init();

    let broker = args.connect().await?;
    let server =
        Server::builder(&broker).service(FibonacciServer::new(Sequence::default())).start().await?;
    let client = FibonacciClient::new(&broker);

    tracing::info!(number = client.fib(30).explain().await?, "an answer");
    if let Err(error) = client.fib(94).explain().await {
        tracing::info!(%error, "an error of the method's own, which is an answer, too");
    }

    server.shutdown().await?;
    Ok(())
}
