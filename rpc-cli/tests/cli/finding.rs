//! `ls`, `ping`, `info`, `stats`, `doc`.

use std::time::Duration;

use rpc_runtime::discovery::Discovery;
use rpc_tests::{Message, Peer, eventually};
use serde_json::json;

use crate::{run::squeezed, sample::Place};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn ls_lists_services_over_all_their_servers() {
    let place = Place::new().await;
    let _servers = [place.serve().await, place.serve().await, place.serve_on("other").await];
    assert_eq!(
        squeezed(place.rpc(&["ls"]).await.printed()),
        [
            "SERVICE VERSION SERVERS METHODS QUEUE ABOUT",
            "Calculator - 2 7 Calculator Sums and quotients.",
            "Calculator - 1 7 other Sums and quotients.",
        ]
    );
    let listed = place.rpc(&["ls", "--output", "json"]).await.json();
    assert_eq!((&listed[1]["queue"], &listed[1]["servers"]), (&json!("other"), &json!(1)));
}

#[tokio::test]
async fn ping_lists_servers_and_filters_by_instance() {
    let place = Place::new().await;
    let servers = [place.serve().await, place.serve().await];
    let pinged = place.rpc(&["ping"]).await;
    let lines = squeezed(pinged.printed());
    assert_eq!((lines.len(), lines[0].as_str()), (3, "INSTANCE HOST STATE ROUND TRIP SERVICES"));
    for server in &servers {
        let short = &server.instance()[..8];
        let line = lines.iter().find(|line| line.starts_with(short)).expect("it is there");
        assert!(line.contains(" ready ") && line.ends_with(" Calculator"), "{line}");
    }
    let one = servers[1].instance();
    let chosen = ["ping", "Calculator", "--instance", &one[..12], "-o", "json"];
    let chosen = place.rpc(&chosen).await.json();
    assert_eq!(chosen.as_array().map(Vec::len), Some(1));
    assert_eq!((&chosen[0]["instance"], &chosen[0]["ready"]), (&json!(one), &json!(true)));
    assert!(chosen[0]["round_trip_us"].as_u64().is_some_and(|time| time > 0), "{chosen}");
}

#[tokio::test]
async fn info_reads_like_the_trait() {
    let place = Place::new().await;
    let server = place.serve_on("sums").await;
    let text = place.rpc(&["info", "Calculator"]).await;
    let (described, servers) = text.printed().split_once("\n\nINSTANCE").expect("a table follows");
    assert_eq!(
        described,
        "\
Calculator
  Sums and quotients.

  For tests alone.
  queue sums · application/x-bincode

  add(a: u32, b: u32) -> u32  idempotent
      The sum of two numbers.
  divide(dividend: i64, divisor: i64) -> Result<i64, String>
      The quotient; there is none by zero.
  largest() -> u128
  header(name: String) -> Option<String>
      A header of the request.
  wait()  timeout 100 ms
      Never ends.
  explode()
  forget()  oneway"
    );
    assert!(servers.contains(&server.instance()[..8]), "{servers}");
    assert!(servers.contains(&std::process::id().to_string()), "{servers}");
    let json = place.rpc(&["info", "Calculator", "-o", "json"]).await.json();
    let argument = &json["service"]["methods"][0]["arguments"][1];
    assert_eq!((&argument["name"], &argument["type"]), (&json!("b"), &json!("u32")));
    assert_eq!(json["servers"][0]["instance"], json!(server.instance()));
}

#[tokio::test]
async fn info_lists_differences_between_servers() {
    let place = Place::new().await;
    let _servers = [place.serve().await, place.serve_on("other").await];
    let text = place.rpc(&["info", "Calculator"]).await;
    let line = text.printed().lines().find(|line| line.contains("differ")).expect("a line");
    assert!(line.contains("the queue") && line.contains("other"), "{line}");
}

#[tokio::test]
async fn stats_show_what_was_called() {
    let place = Place::new().await;
    let server = place.serve().await;
    for arguments in ["[1, 2]", "[3, 4]"] {
        place.rpc(&["call", "Calculator.add", arguments]).await.printed();
    }
    place.rpc(&["call", "Calculator.divide", "[1, 0]"]).await.failed(1);
    let stats = place.rpc(&["stats", "Calculator"]).await;
    let lines = squeezed(stats.printed());
    assert_eq!(lines[0], "SERVICE INSTANCE METHOD CALLS NOW P50 P99 MAX WAITING ERRORS");
    let short = &server.instance()[..8];
    assert!(lines[1].starts_with(&format!("Calculator {short} add 2 0 ")), "{lines:?}");
    assert!(lines[1].ends_with(" 0 -"), "nothing waits, nothing went wrong: {lines:?}");
    assert!(lines[2].ends_with(" 0 error 1"), "{lines:?}");
    assert_eq!(lines[3], format!("Calculator {short} largest 0 0 - - - 0 -"));
    let json = place.rpc(&["stats", "--output", "json"]).await.json();
    assert_eq!(json[0]["services"][0]["methods"][0]["calls"], json!(2));
    assert_eq!(json[0]["services"][0]["consumers"], json!(1));
}

#[tokio::test]
async fn stats_show_requests_refused_for_their_reply_to() {
    let place = Place::new().await;
    let server = place.serve().await;
    let peer = Peer::connect(&place.url).await.unwrap();
    let request = Message {
        kind: Some("add".to_owned()),
        // A reply there would come back as a request.
        reply_to: Some("Calculator".to_owned()),
        ..Message::to("Calculator", "[1, 2]")
    };
    peer.publish(request).await.unwrap();
    eventually("it was refused", SOON, || (server.stats().refused_reply_to == 1).then_some(()))
        .await;
    let stats = place.rpc(&["stats", "Calculator"]).await;
    let line = format!("{} rejected requests: 1 for their reply_to", &server.instance()[..8]);
    assert_eq!(stats.printed().lines().last(), Some(line.as_str()));
    let json = place.rpc(&["stats", "--output", "json"]).await.json();
    assert_eq!((&json[0]["refused_reply_to"], &json[0]["unreadable"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn stats_show_requests_for_no_method() {
    let place = Place::new().await;
    let server = place.serve().await;
    for method in ["add", "multiply"] {
        let call = ["call", &format!("Calculator.{method}"), "[1, 2]", "--queue", "Calculator"];
        place.rpc(&call).await;
    }
    let stats = place.rpc(&["stats", "Calculator"]).await;
    let short = &server.instance()[..8];
    let line =
        format!("{short} refused requests of Calculator that no row counts: unknown-method 1");
    assert_eq!(stats.printed().lines().last(), Some(line.as_str()));
}

#[tokio::test]
async fn documentation_is_markdown_or_asyncapi() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let page = place.rpc(&["doc", "Calculator"]).await;
    let page = page.printed();
    assert!(
        page.starts_with("# Calculator\n\nSums and quotients.\n\nFor tests alone.\n"),
        "{page}"
    );
    let method = "### `add`\n\n```rust\nadd(a: u32, b: u32) -> u32\n```\n\nThe sum of two numbers.";
    assert!(page.contains(method), "{page}");
    let document = place.rpc(&["doc", "Calculator", "--format", "asyncapi"]).await.json();
    assert_eq!(document["asyncapi"], json!("3.0.0"));
    assert_eq!(document["operations"]["add"]["action"], json!("receive"));
}

#[tokio::test]
async fn virtual_hosts_separate_tests() {
    let place = Place::new().await;
    assert_eq!(Discovery::new(&place.broker).ping().await.unwrap(), []);
}
