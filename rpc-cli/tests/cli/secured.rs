//! A service that wants to know who calls.

use rpc_runtime::{Server, middleware::Authorization};

use crate::sample::{CalculatorServer, Exact, Place};

async fn serve(place: &Place) -> Server {
    Server::builder(&place.broker)
        .service(CalculatorServer::new(Exact))
        .require_caller()
        .layer(Authorization::new().permit("guest", ["Calculator.add"]))
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn every_command_works_with_a_secured_service() {
    let place = Place::new().await;
    let _server = serve(&place).await;
    assert_eq!(place.rpc(&["call", "Calculator.add", "1", "2"]).await.printed(), "3");
    let bench = ["bench", "Calculator.add", "1", "2", "--duration", "50ms", "-c", "2"];
    let bench = place.rpc(&bench).await;
    assert_eq!(bench.code, 0, "{bench:?}");
    for command in
        [&["info", "Calculator"][..], &["ls"], &["ping"], &["stats"], &["doc", "Calculator"]]
    {
        assert!(place.rpc(command).await.printed().contains("Calculator"), "{command:?}");
    }
    let refused = place.rpc(&["call", "Calculator.largest"]).await;
    let stderr = refused.failed(1);
    assert!(stderr.contains("guest may not call Calculator.largest"), "{stderr}");
}

#[tokio::test]
async fn anonymous_calls_name_nobody() {
    let place = Place::new().await;
    let _server = serve(&place).await;
    let refused = place.rpc(&["call", "Calculator.add", "1", "2", "--anonymous"]).await;
    let stderr = refused.failed(1);
    assert_eq!(
        stderr,
        "error: Calculator.add was refused: not-permitted: the request does not say which user sent it, and this server \
         requires it (`require_caller`): connect with `announce_user`, or set `user_id`"
    );
}
