//! Metrics, as Prometheus reads them.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rpc_runtime::middleware::{Cache, CircuitBreaker, Request};
use rpc_runtime::testing::Faults;
use rpc_runtime::{Broker, CallError, Fault, FaultKind, Server, rpc_service};
use rpc_tests::{Rabbit, Relay, eventually, unique};
use tokio::sync::Semaphore;
use tower::filter::FilterLayer;

use super::{SOON, brokers, queue};

static GATE: Semaphore = Semaphore::const_new(0);

#[rpc_service]
trait Metered {
    async fn add(&self, a: u32, b: u32) -> u32;
    async fn refuse(&self) -> Result<(), String>;
    async fn wait(&self);
    #[rpc(idempotent)]
    async fn again(&self) -> u32;
}

struct Service;

impl Metered for Service {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }

    async fn refuse(&self) -> Result<(), String> {
        Err("on principle".to_owned())
    }

    async fn wait(&self) {
        GATE.acquire().await.unwrap().forget();
    }

    async fn again(&self) -> u32 {
        1
    }
}

fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let handle = PrometheusBuilder::new().install_recorder().unwrap();
        rpc_runtime::describe_metrics();
        handle
    })
}

/// The value of a metric with these labels; zero if it was never recorded.
fn value(metric: &str, labels: &[(&str, &str)]) -> u64 {
    let rendered = recorder().render();
    let has = |line: &&str| {
        let name = line.split(['{', ' ']).next();
        let labelled = |(key, value): &(&str, &str)| line.contains(&format!("{key}=\"{value}\""));
        name == Some(metric) && labels.iter().all(labelled)
    };
    let value = rendered.lines().find(has).and_then(|line| line.rsplit(' ').next());
    value.map_or(0, |value| value.parse().unwrap())
}

async fn reaches(expected: u64, metric: &str, labels: &[(&str, &str)]) {
    let same = || (value(metric, labels) == expected).then_some(());
    eventually(&format!("{metric} {labels:?} is {expected}"), SOON, same).await;
}

#[tokio::test]
async fn calls_and_requests_are_counted_by_outcome() {
    recorder();
    for (turn, broker) in (1..).zip(brokers().await) {
        let name = unique("metered");
        let server = Server::builder(&broker)
            .service_on(queue(&name), MeteredServer::new(Service))
            .start()
            .await
            .unwrap();
        let client = MeteredClient::builder(&broker).queue(&name).build();
        for n in 0..3 {
            assert_eq!(client.add(n, 1).await.unwrap(), n + 1);
        }
        client.refuse().await.unwrap_err();
        let nobody = MeteredClient::builder(&broker).queue(unique("nobody")).build();
        assert!(matches!(nobody.add(1, 2).await, Err(CallError::NoServer)));
        let narrow = MeteredClient::builder(&broker).queue(&name).max_request(1).build();
        assert!(matches!(narrow.add(1, 2).await, Err(CallError::TooLarge(_))));

        let of =
            |method, outcome| [("service", "Metered"), ("method", method), ("outcome", outcome)];
        for metric in ["rpc_client_calls_total", "rpc_client_call_duration_seconds_count"] {
            reaches(3 * turn, metric, &of("add", "result")).await;
            reaches(turn, metric, &of("refuse", "error")).await;
            reaches(turn, metric, &of("add", "no-server")).await;
            reaches(turn, metric, &of("add", "too-large")).await;
        }
        for metric in ["rpc_server_requests_total", "rpc_server_request_duration_seconds_count"] {
            reaches(3 * turn, metric, &of("add", "result")).await;
            reaches(turn, metric, &of("refuse", "error")).await;
        }

        let waiting = tokio::spawn(client.wait());
        reaches(1, "rpc_server_requests_in_flight", &[("method", "wait")]).await;
        reaches(1, "rpc_client_calls_in_flight", &[("method", "wait")]).await;
        waiting.abort();
        reaches(turn, "rpc_client_calls_total", &of("wait", "cancelled")).await;
        reaches(0, "rpc_client_calls_in_flight", &[("method", "wait")]).await;
        let late = value("rpc_client_late_replies_total", &[]);
        GATE.add_permits(1);
        reaches(0, "rpc_server_requests_in_flight", &[("method", "wait")]).await;
        reaches(late + 1, "rpc_client_late_replies_total", &[]).await;
        server.shutdown().await.unwrap();
    }
    assert!(recorder().render().contains("# HELP rpc_client_calls_total Calls that ended"));
}

#[rpc_service(timeout = "1h")]
trait Timed {
    async fn late(&self);
}

impl Timed for Service {
    async fn late(&self) {}
}

#[tokio::test(start_paused = true)]
async fn durations_follow_a_paused_clock() {
    recorder();
    let faults = Faults::new();
    let client = TimedClient::new(&Broker::serving_with(TimedServer::new(Service), &faults));
    faults.drop_replies(1);
    client.late().await.unwrap_err();
    let rendered = recorder().render();
    let sum = rendered.lines().find(|line| {
        line.starts_with("rpc_client_call_duration_seconds_sum") && line.contains("Timed")
    });
    let seconds: f64 = sum.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!((3600.0..3601.0).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn resent_requests_are_counted() {
    recorder();
    for (turn, broker) in (1..).zip(brokers().await) {
        let (name, refused) = (unique("metered"), Arc::new(AtomicBool::new(false)));
        let once = FilterLayer::new(move |request: Request| {
            let fault = Fault::new(FaultKind::Overloaded, "not yet");
            if refused.swap(true, Ordering::SeqCst) { Ok(request) } else { Err(fault) }
        });
        let server = Server::builder(&broker)
            .service_on(queue(&name), MeteredServer::new(Service))
            .layer(once)
            .start()
            .await
            .unwrap();
        let client = MeteredClient::builder(&broker).queue(&name).build();
        assert_eq!(client.again().await.unwrap(), 1);
        reaches(turn, "rpc_client_retries_total", &[("method", "again")]).await;
        let overloaded = [("method", "again"), ("outcome", "overloaded")];
        reaches(turn, "rpc_server_requests_total", &overloaded).await;
        server.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn reconnections_are_counted() {
    recorder();
    let url = Rabbit::shared().await.url();
    let (before, authority) = url.rsplit_once('@').unwrap();
    let (host, vhost) = authority.split_once('/').unwrap();
    let relay = Relay::to(host).await;
    let broker = Broker::connect(&format!("{before}@{}/{vhost}", relay.address())).await.unwrap();
    let counted = value("rpc_broker_reconnects_total", &[]);
    relay.cut();
    reaches(counted + 1, "rpc_broker_reconnects_total", &[]).await;
    broker.close().await;
}

#[rpc_service]
trait Breaking {
    async fn hello(&self);
}

impl Breaking for Service {
    async fn hello(&self) {}
}

#[tokio::test(start_paused = true)]
async fn open_circuits_are_counted() {
    recorder();
    let broker = Broker::in_memory();
    let pause = std::time::Duration::from_secs(60);
    let breaker = CircuitBreaker::new().failures(2).pause(pause);
    let client = BreakingClient::builder(&broker).layer(breaker.clone()).build();
    let (of, opened) = ([("service", "Breaking")], "rpc_client_circuits_opened_total");
    client.hello().await.unwrap_err();
    reaches(0, "rpc_client_open_circuits", &of).await;
    client.hello().await.unwrap_err();
    reaches(1, "rpc_client_open_circuits", &of).await;
    client.hello().await.unwrap_err();
    reaches(1, opened, &of).await;

    let server = Server::builder(&broker).service(BreakingServer::new(Service)).start().await;
    tokio::time::advance(pause).await;
    client.hello().await.unwrap();
    reaches(0, "rpc_client_open_circuits", &of).await;
    server.unwrap().shutdown().await.unwrap();

    let nobody = BreakingClient::builder(&broker).queue(unique("nobody")).layer(breaker).build();
    nobody.hello().await.unwrap_err();
    nobody.hello().await.unwrap_err();
    reaches(1, "rpc_client_open_circuits", &of).await;
    reaches(2, opened, &of).await;
    drop(nobody);
    reaches(0, "rpc_client_open_circuits", &of).await;
}

#[rpc_service]
trait Kept {
    #[rpc(cacheable = "10m")]
    async fn double(&self, n: u32) -> u32;
}

impl Kept for Service {
    async fn double(&self, n: u32) -> u32 {
        2 * n
    }
}

#[tokio::test]
async fn hits_and_misses_of_a_cache_are_counted() {
    recorder();
    let broker = Broker::serving(KeptServer::new(Service));
    let client = KeptClient::new(&broker.layer(Cache::new(1_000_000)));
    for n in [1, 2, 1, 1, 1] {
        assert_eq!(client.double(n).await.unwrap(), 2 * n);
    }
    let of = [("service", "Kept"), ("method", "double")];
    assert_eq!(value("rpc_cache_hits_total", &of), 3);
    assert_eq!(value("rpc_cache_misses_total", &of), 2);
}
