//! A server that ends as Kubernetes and systemd expect: `cargo run -p examples --example graceful_shutdown`.
//!
//! On SIGTERM it accepts no more requests, finishes those in progress, leaves the others to the next server, and exits
//! with success. Its readiness turns false at once. Start it twice, call it with `rpc call Press.print 50`, and end the
//! one that prints.

use std::time::Duration;

use examples::{BrokerArgs, Failure, interrupted};
use lexopt::prelude::*;
use rpc_runtime::{Broker, Health, HealthStatus, Queue, Server, rpc_service};
use tokio::time::sleep;

/// Prints, slowly.
#[rpc_service(timeout = "10m")]
pub trait Press {
    /// Prints so many pages, ten a second.
    async fn print(&self, pages: u32) -> String;
}

struct Old;

impl Press for Old {
    async fn print(&self, pages: u32) -> String {
        println!("printing {pages} pages");
        for _ in 0..pages {
            sleep(Duration::from_millis(100)).await;
        }
        println!("printed {pages} pages");
        format!("{pages} pages by {}", std::process::id())
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut queue = "Press".to_owned();
    let args = BrokerArgs::parse_with("[--queue NAME]", |arg, parser| {
        match arg {
            Long("queue") => queue = parser.value()?.string()?,
            _ => return Err(arg.unexpected()),
        }
        Ok(())
    })?;
    let broker = Broker::connect(&args.broker).await?;
    let server = Server::builder(&broker)
        .service_on(Queue::named(queue), PressServer::new(Old))
        // One request at a time.
        .concurrency(1)
        // Shorter than the time after which the supervisor kills the process.
        .grace_period(Duration::from_secs(25))
        .start()
        .await?;
    let probe = tokio::spawn(report(server.health()));
    println!("serving; SIGTERM or Ctrl-C ends");

    server.run_until(terminated()).await?;
    probe.await?;
    broker.close().await;
    Ok(())
}

/// Stands in for an answer to readiness probes.
async fn report(mut health: Health) {
    while health.status() != HealthStatus::Stopped {
        println!("health: {}", health.changed().await);
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => tokio::select! {
            _ = terminated.recv() => {}
            () = interrupted() => {}
        },
        Err(_) => interrupted().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    interrupted().await;
}
