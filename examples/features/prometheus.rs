//! Metrics for Prometheus: `cargo run -p examples-of-features --example prometheus`, and look at <http://127.0.0.1:9000/metrics>.

use std::{net::SocketAddr, time::Duration};

use examples::{Failure, FibonacciClient, FibonacciServer, MaybeBroker, Sequence, interrupted};
use lexopt::prelude::*;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use rpc_runtime::Server;

/// Upper bounds of the buckets for durations, in seconds. Without them the exporter makes summaries, which cannot be
/// added up over processes and are 0 if nothing was recorded recently.
const BUCKETS: [f64; 12] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 9000));
    let args = MaybeBroker::parse_with("[--listen ADDRESS]", |arg, parser| {
        match arg {
            Long("listen") => listen = parser.value()?.parse()?,
            _ => return Err(arg.unexpected()),
        }
        Ok(())
    })?;

    let durations = Matcher::Suffix("_duration_seconds".to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(durations, &BUCKETS)?
        .with_http_listener(listen)
        .install()?;
    rpc_runtime::describe_metrics();

    let broker = args.connect().await?;
    let server =
        Server::builder(&broker).service(FibonacciServer::new(Sequence::default())).start().await?;
    let client = FibonacciClient::new(&broker);
    let calls = async {
        for n in (0..100).cycle() {
            // One call in twenty fails, because its number is too large.
            let _ = client.fib(n).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    println!("metrics at http://{listen}/metrics; Ctrl-C stops");

    tokio::select! {
        () = calls => {}
        () = interrupted() => {}
    }
    server.shutdown().await?;
    Ok(())
}
