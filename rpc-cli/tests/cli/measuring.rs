//! `bench` and `completion`.

use crate::{run::rpc, sample::Place};

#[tokio::test]
async fn a_measurement_has_figures_and_a_histogram() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let bench = ["bench", "Calculator.add", "1", "2", "-c", "4", "-d", "500ms"];
    let ended = place.rpc(&bench).await;
    let printed = ended.printed();
    assert!(printed.starts_with("Calculator.add  4 at once, for "), "{printed}");
    for part in ["\n  calls    ", "/s)\n", "\n  latency  p50 ", "  p99.9 ", "\n  up to ", "█"] {
        assert!(printed.contains(part), "{part:?} in {printed}");
    }
    let json = place.rpc(&[&bench[..], &["-o", "json"]].concat()).await.json();
    assert!(json["succeeded"].as_u64().is_some_and(|calls| calls > 4), "{json}");
    assert_eq!((json["failed"].as_u64(), json["concurrency"].as_u64()), (Some(0), Some(4)));
    let latency = &json["latency_us"];
    assert!(latency["p50"].as_u64() <= latency["max"].as_u64(), "{json}");
}

#[tokio::test]
async fn errors_are_counted_by_kind() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let ended = place.rpc(&["bench", "Calculator.divide", "1", "0", "-d", "200ms"]).await;
    assert!(ended.failed(1).contains("no call ended with a result"), "{ended:?}");
    assert!(ended.stdout.contains("\n  errors   "), "{ended:?}");
    assert!(ended.stdout.contains("(error "), "{ended:?}");
    let first = "\n  first    Calculator.divide failed: \"1 by zero\"\n";
    assert!(ended.stdout.contains(first), "{ended:?}");
}

#[tokio::test]
async fn the_first_error_is_written_for_programs_too() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let bench = ["bench", "Calculator.divide", "1", "0", "-d", "100ms", "-o", "json"];
    let ended = place.rpc(&bench).await;
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["first_error"], "Calculator.divide failed: \"1 by zero\"");
}

#[tokio::test]
async fn a_missing_service_is_not_measured() {
    let place = Place::new().await;
    let ended = place.rpc(&["bench", "Calculator.add", "1", "2"]).await;
    ended.failed(3);
}

#[tokio::test]
async fn shells_can_complete_its_arguments() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = rpc("", &["completion", shell]).await;
        assert!(ended.printed().contains("bench"), "{shell}");
    }
}
