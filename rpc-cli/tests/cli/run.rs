//! Runs the program and captures its output.

use std::{process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

/// Longer than anything takes here.
const SOON: Duration = Duration::from_secs(30);

/// The exit code and output of a run.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program with this address of RabbitMQ in its environment.
pub(crate) async fn rpc(url: &str, arguments: &[&str]) -> Ended {
    rpc_with_input(url, arguments, "").await
}

/// The same with something on its standard input.
pub(crate) async fn rpc_with_input(url: &str, arguments: &[&str], input: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rpc"));
    command.env("AMQP_URL", url).env_remove("CLICOLOR_FORCE").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().expect("it is piped");
    let run = async {
        // A program that does not read it may have ended by now.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await
    };
    let output = timeout(SOON, run).await.expect("it ends").unwrap();
    Ended {
        code: output.status.code().expect("it is not killed"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ended {
    /// Its standard output; it must have succeeded without warnings.
    pub(crate) fn printed(&self) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{self:?}");
        assert!(!self.stdout.contains('\u{1b}'), "no colour without a terminal: {self:?}");
        self.stdout.trim_end()
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.printed()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Its standard error; it must have failed with this code.
    pub(crate) fn failed(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{self:?}");
        assert!(!self.stderr.contains('\u{1b}'), "no colour without a terminal: {self:?}");
        self.stderr.trim_end()
    }
}

/// The columns of a table, with one space between them.
pub(crate) fn squeezed(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}
