//! A reader that closes the pipe early: `rpc doc Calculator | head -1`.

use std::process::Stdio;

use tokio::process::Command;

use crate::sample::Place;

/// Runs the program with a closed output; returns its exit code and its standard error.
async fn unread(place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rpc"));
    command.env("AMQP_URL", &place.url).args(arguments).kill_on_drop(true);
    let (reader, writer) = std::io::pipe().unwrap();
    // Closed before anything is written, so that the first write fails.
    drop(reader);
    command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_closed_output_is_no_failure() {
    let place = Place::new().await;
    let _server = place.serve().await;
    for command in [
        &["doc", "Calculator"][..],
        &["doc", "Calculator", "--format", "asyncapi"],
        &["info", "Calculator"],
        &["ls"],
        &["ls", "--output", "json"],
        &["ping"],
        &["stats"],
        &["stats", "--watch=50ms"],
        &["call", "Calculator.add", "1", "2"],
        &["bench", "Calculator.add", "1", "2", "--duration", "100ms"],
        &["completion", "bash"],
        &["--help"],
        &["--version"],
    ] {
        assert_eq!(unread(&place, command).await, (Some(0), String::new()), "{command:?}");
    }
    // A failed call keeps its exit code although nobody reads the output.
    let (code, stderr) =
        unread(&place, &["call", "Calculator.divide", "1", "0", "-o", "json"]).await;
    assert!(code == Some(1) && stderr.contains("by zero"), "{stderr}");
}
