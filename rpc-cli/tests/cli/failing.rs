//! Failures: each has a message, a remedy and an exit code.

use rpc_tests::NodeBuilder;

use crate::{
    run::rpc,
    sample::{CalculatorServer, Exact, Place, node},
};

const ERROR: i32 = 1;
const USAGE: i32 = 2;
const NO_SERVER: i32 = 3;
const TIMEOUT: i32 = 4;
const BROKER: i32 = 5;

#[tokio::test]
async fn no_server_is_running() {
    let place = Place::new().await;
    for command in [&["ls"][..], &["ping"], &["stats"]] {
        let ended = place.rpc(command).await;
        let stderr = ended.failed(NO_SERVER);
        assert!(stderr.starts_with("error: no server answered within 2 s\n"), "{stderr}");
    }
    for command in
        [&["info", "Calculator"][..], &["doc", "Calculator"], &["call", "Calculator.add", "1", "2"]]
    {
        let ended = place.rpc(command).await;
        let stderr = ended.failed(NO_SERVER);
        assert!(stderr.starts_with("error: no server of \"Calculator\" answered"), "{stderr}");
        assert!(stderr.contains("`rpc ls`"), "{stderr}");
    }
    let ended = place.rpc(&["call", "Calculator.add", "1", "2", "--queue", "sums"]).await;
    let stderr = ended.failed(NO_SERVER);
    assert!(stderr.starts_with("error: no server: there is no queue \"sums\"\n"), "{stderr}");
}

#[tokio::test]
async fn a_queue_without_consumers_has_no_server() {
    let place = Place::new().await;
    place.serve().await.shutdown().await.unwrap();
    let nobody = "error: no server: nobody consumes the queue \"Calculator\"\n";
    for command in [
        &["call", "Calculator.add", "1", "2"][..],
        &["call", "Calculator.header", "tea"],
        &["bench", "Calculator.header", "tea"],
        &["call", "Calculator.header", "tea", "--queue", "Calculator"],
        &["call", "Calculator.add", "1", "2", "--queue", "Calculator"],
    ] {
        let ended = place.rpc(command).await;
        let stderr = ended.failed(NO_SERVER);
        assert!(stderr.starts_with(nobody), "{command:?}: {stderr}");
    }
    let ended = place.rpc(&["call", "Calculator.header", "tea", "--queue", "Nope"]).await;
    let stderr = ended.failed(NO_SERVER);
    assert!(stderr.starts_with("error: no server: there is no queue \"Nope\"\n"), "{stderr}");
}

#[tokio::test]
async fn a_call_whose_server_ended_may_have_run() {
    let place = Place::new().await;
    let server = place.serve().await;
    let goes = async {
        while server.stats().requests == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        drop(server);
    };
    let call = ["call", "Calculator.wait", "--queue", "Calculator", "--timeout", "2s"];
    let (ended, ()) = tokio::join!(place.rpc(&call), goes);
    let stderr = ended.failed(NO_SERVER);
    let now = "error: no server: nobody consumes the queue \"Calculator\" now; it may have run\n";
    assert!(stderr.starts_with(now), "{stderr}");
}

#[tokio::test]
async fn an_unquoted_string_needs_a_server_to_ask() {
    let place = Place::new().await;
    let server = rpc_runtime::Server::builder(&place.broker)
        .service(CalculatorServer::new(Exact))
        .discovery(false)
        .start()
        .await
        .unwrap();
    let write = "  write a string as '\"tea\"'";
    let unasked = place.rpc(&["call", "Calculator.header", "tea"]).await;
    assert_eq!(
        unasked.failed(USAGE),
        format!(
            "error: no server described the arguments of header, and \"tea\" is not JSON\n{write}"
        )
    );
    let chosen = ["call", "Calculator.header", "tea", "--queue", "Calculator"];
    assert_eq!(
        place.rpc(&chosen).await.failed(USAGE),
        format!(
            "error: with --queue no server is asked what header takes, and \"tea\" is not JSON\n{write}"
        )
    );
    let quoted = ["call", "Calculator.header", "\"tea\"", "--queue", "Calculator"];
    assert_eq!(place.rpc(&quoted).await.printed(), "null");
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn similar_names_are_suggested_for_mistyped_ones() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let ended = place.rpc(&["info", "Calculater"]).await;
    assert!(ended.failed(NO_SERVER).contains("did you mean Calculator?"), "{ended:?}");
    let ended = place.rpc(&["call", "Calculator.divid", "1", "2"]).await;
    let stderr = ended.failed(ERROR);
    assert!(stderr.starts_with("error: Calculator has no method \"divid\"\n"), "{stderr}");
    assert!(stderr.contains("did you mean divide?"), "{stderr}");
    let ended = place.rpc(&["call", "Calculator.multiply"]).await;
    let known = "its methods are add, divide, largest, header, wait, explode, forget";
    assert!(ended.failed(ERROR).contains(known), "{ended:?}");
}

#[tokio::test]
async fn a_missing_reply_is_a_timeout() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let ended = place.rpc(&["call", "Calculator.wait", "--timeout", "200ms"]).await;
    let stderr = ended.failed(TIMEOUT);
    assert!(
        stderr.starts_with("error: Calculator.wait did not answer within 200 ms; it may have run"),
        "{stderr}"
    );
    // Without --timeout, the method's timeout counts.
    let ended = place.rpc(&["call", "Calculator.wait"]).await;
    let stderr = ended.failed(TIMEOUT);
    assert!(stderr.contains("Calculator.wait did not answer within 100 ms"), "{stderr}");
}

#[tokio::test]
async fn wrong_arguments_are_refused() {
    let place = Place::new().await;
    let _server = place.serve().await;
    let ended = place.rpc(&["call", "Calculator.add", "{\"a\": 1}"]).await;
    let stderr = ended.failed(ERROR);
    assert!(stderr.starts_with("error: Calculator.add was refused: bad-arguments"), "{stderr}");
    let ended = place.rpc(&["call", "Calculator.add", "one", "2"]).await;
    assert!(ended.failed(USAGE).starts_with("error: \"one\" is not JSON"), "{ended:?}");
    let ended = place.rpc(&["call", "Calculator.add", "1"]).await;
    assert_eq!(
        ended.failed(USAGE),
        "error: add takes 2 arguments, 1 was given\n  add(a: u32, b: u32) -> u32"
    );
    let ended = place.rpc(&["call", "add"]).await;
    assert!(ended.failed(USAGE).contains("SERVICE.METHOD"), "{ended:?}");
}

#[tokio::test]
async fn failures_of_the_broker_have_their_code() {
    let url = format!("amqp://ada:s3cret@127.0.0.1:{}/%2f", NodeBuilder::free_port());
    let nowhere = rpc(&url, &["ls", "--wait", "1s"]).await;
    assert!(
        nowhere.failed(BROKER).contains("no broker answers at amqp://127.0.0.1:"),
        "{nowhere:?}"
    );

    let node = node().await;
    let wrong = rpc(&node.url_for("guest", "s3cret", "%2f"), &["ls"]).await;
    assert!(wrong.failed(BROKER).contains("does not accept the password of the user \"guest\""));
    assert!(wrong.stderr.contains("AMQP_URL"), "{wrong:?}");
    let elsewhere = rpc(&node.url_for("guest", "guest", "s3cret-not"), &["ls"]).await;
    assert!(elsewhere.failed(BROKER).contains("virtual host"), "{elsewhere:?}");
    let empty = rpc("", &["ls"]).await;
    assert!(empty.failed(BROKER).starts_with("error: AMQP_URL is empty\n"), "{empty:?}");
    let no_url = rpc("ada:s3cret@rabbit", &["ls"]).await;
    assert!(no_url.failed(BROKER).contains("is not the address of a broker"), "{no_url:?}");
    for ended in [nowhere, wrong, no_url] {
        assert!(!ended.stderr.contains("s3cret"), "{ended:?}");
    }
}

#[tokio::test]
async fn missing_permissions_are_named() {
    let node = node().await;
    node.add_user("nobody", "s3cret", ["^$", "^$", "^$"]).await;
    let ended = rpc(&node.url_for("nobody", "s3cret", "%2f"), &["ls"]).await;
    // A virtual host without the exchange has no servers to ask.
    assert!([NO_SERVER, BROKER].contains(&ended.code), "{ended:?}");
    let place = Place::new().await;
    let _server = place.serve().await;
    let vhost = place.url.rsplit('/').next().unwrap();
    node.ctl(&["set_permissions", "-p", vhost, "nobody", "^$", "^$", "^$"]).await;
    let ended = rpc(&node.url_for("nobody", "s3cret", vhost), &["ls"]).await;
    let stderr = ended.failed(BROKER);
    assert!(stderr.contains("rpc.discovery") && stderr.contains("amq.gen-"), "{stderr}");
}

#[tokio::test]
async fn no_secret_of_a_command_line_is_shown() {
    for arguments in [
        &["ls", "amqp://ada:s3cret@rabbit"][..],
        &["--url", "amqp://ada:s3cret@rabbit", "nonsense"],
        &["--help"],
        &["ls", "--wait", "amqp://ada:s3cret@rabbit"],
    ] {
        let ended = rpc("amqp://ada:s3cret@rabbit", arguments).await;
        let printed = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!printed.contains("s3cret"), "{printed}");
        assert!(ended.code == USAGE || arguments == ["--help"], "{ended:?}");
    }
}

#[tokio::test]
async fn usage_shows_only_required_arguments() {
    let ended = rpc("amqp://rabbit", &["info"]).await;
    let stderr = ended.failed(USAGE);
    assert!(stderr.contains("Usage: rpc info <SERVICE>"), "{stderr}");
}

/// A line of the table, or of the list, that begins with this exit code.
fn exit_code(text: &str, code: &str) -> String {
    let meaning = |line: &str| {
        let line = line.trim_start_matches(['|', ' ']);
        let meaning = line.strip_prefix(code)?.trim_matches(['|', ' ']);
        Some(meaning.to_owned())
    };
    text.lines().find_map(meaning).unwrap_or_else(|| panic!("{code} in {text}"))
}

#[tokio::test]
async fn exit_codes_match_the_readme() {
    let help = rpc("", &["--help"]).await;
    let readme = include_str!("../../README.md");
    let (_, readme) = readme.split_once("| code |").expect("there is a table");
    for code in ["1 ", "2 ", "3 ", "4 ", "5 "] {
        assert_eq!(exit_code(&help.stdout, code), exit_code(readme, code));
    }
}

#[tokio::test]
async fn top_without_a_terminal_suggests_stats() {
    let place = Place::new().await;
    let ended = place.rpc(&["top"]).await;
    assert!(ended.failed(USAGE).contains("rpc stats --watch --output json"), "{ended:?}");
}
