//! `call`.

use serde_json::json;

use crate::{run::rpc_with_input, sample::Place};

#[tokio::test]
async fn arguments_go_by_name_and_by_position() {
    let place = Place::new().await;
    let _server = place.serve().await;
    for arguments in [
        &["call", "Calculator.add", r#"{"a": 1, "b": 2}"#][..],
        &["call", "Calculator.add", "[1, 2]"],
        &["call", "Calculator.add", "1", "2"],
    ] {
        assert_eq!(place.rpc(arguments).await.printed(), "3", "{arguments:?}");
    }
    assert_eq!(place.rpc(&["call", "Calculator.divide", "-7", "2"]).await.printed(), "-3");
}

#[tokio::test]
async fn a_result_is_printed_unchanged() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let printed = place.rpc(&["call", "Calculator.largest"]).await;
    assert_eq!(printed.printed(), u128::MAX.to_string());
    let printed = place.rpc(&["call", "Calculator.largest", "-o", "json"]).await;
    assert!(printed.printed().starts_with(&format!("{{\"result\":{},\"took_us\":", u128::MAX)));
    assert_eq!(place.rpc(&["call", "Calculator.forget"]).await.printed(), "null");
}

#[tokio::test]
async fn headers_arrive() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let call = ["call", "Calculator.header", "[\"tenant\"]", "-H", "tenant=a=b"];
    assert_eq!(place.rpc(&call).await.printed(), "\"a=b\"");
    // Escape sequences reach other programs unchanged.
    let call = ["call", "Calculator.header", "[\"tenant\"]", "-H", "tenant=\u{202e}x"];
    assert_eq!(place.rpc(&call).await.printed(), "\"\u{202e}x\"");
}

#[tokio::test]
async fn arguments_come_from_a_file() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let file = std::env::temp_dir().join(rpc_tests::unique("arguments"));
    std::fs::write(&file, r#"{"a": 20, "b": 22}"#).unwrap();
    let call = ["call", "Calculator.add", &format!("@{}", file.display())];
    let ended = place.rpc(&call).await;
    std::fs::remove_file(&file).unwrap();
    assert_eq!(ended.printed(), "42");
}

#[tokio::test]
async fn arguments_come_from_the_standard_input() {
    let place = Place::new().await;
    let _server = place.serve().await;
    for (arguments, input) in [
        (&["call", "Calculator.add", "-"][..], "{\"a\": 20, \"b\": 22}\n"),
        (&["call", "Calculator.add", "20", "-"], "22"),
    ] {
        let ended = rpc_with_input(&place.url, arguments, input).await;
        assert_eq!(ended.printed(), "42", "{arguments:?}");
    }
    let ended = rpc_with_input(&place.url, &["call", "Calculator.add", "-"], "20 and 22").await;
    assert!(ended.failed(2).contains("is not JSON"), "{ended:?}");
}

#[tokio::test]
async fn the_queue_can_be_given() {
    let place = Place::new().await;
    let server = place.serve_on("sums").await;
    assert_eq!(place.rpc(&["call", "Calculator.add", "1", "2"]).await.printed(), "3");
    let given = ["call", "Anything.add", "1", "2", "--queue", "sums"];
    assert_eq!(place.rpc(&given).await.printed(), "3");
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_server_without_discovery_can_be_called() {
    let place = Place::new().await;
    let _server = rpc_runtime::Server::builder(&place.broker)
        .service(crate::sample::CalculatorServer::new(crate::sample::Exact))
        .discovery(false)
        .start()
        .await
        .unwrap();
    assert_eq!(place.rpc(&["call", "Calculator.add", "1", "2"]).await.printed(), "3");
}

#[tokio::test]
async fn a_methods_own_error_is_printed_apart() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let failed = place.rpc(&["call", "Calculator.divide", "[7, 0]", "-o", "json"]).await;
    assert_eq!(failed.failed(1), "error: Calculator.divide failed: \"7 by zero\"");
    let printed: serde_json::Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(printed["error"], json!("7 by zero"));
    let failed = place.rpc(&["call", "Calculator.explode"]).await;
    let stderr = failed.failed(1);
    assert_eq!(
        stderr,
        "error: Calculator.explode panicked in the server\n  the server's standard error has the reason"
    );
}
