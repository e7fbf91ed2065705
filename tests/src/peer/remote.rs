use std::process::Stdio;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::PeerError;
use crate::Python;

/// The Python process, and the protocol with it.
#[derive(Debug)]
pub(super) struct Remote {
    input: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    last: u64,
    // Killed on drop. It also ends when its input closes.
    _process: Child,
}

#[derive(Deserialize)]
struct Answer {
    id: u64,
    #[serde(default)]
    ok: Value,
    error: Option<PeerError>,
}

impl Remote {
    pub(super) async fn connect(url: &str) -> Result<Self, PeerError> {
        let mut process = Python::find()
            .command("peer.py")
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the Python interpreter starts");
        let input = process.stdin.take().expect("its input was asked for");
        let output = process.stdout.take().expect("its output was asked for");
        let mut remote =
            Self { input, answers: BufReader::new(output).lines(), last: 0, _process: process };
        remote.answer().await?;
        Ok(remote)
    }

    pub(super) async fn ask(
        &mut self,
        operation: &str,
        mut command: Value,
    ) -> Result<Value, PeerError> {
        self.last += 1;
        command["id"] = json!(self.last);
        command["op"] = json!(operation);
        let line = format!("{command}\n");
        self.input
            .write_all(line.as_bytes())
            .await
            .expect("peer.py reads its commands: see its stderr");
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Value, PeerError> {
        loop {
            let line = self.answers.next_line().await.expect("peer.py's output can be read");
            let line = line.expect("peer.py answers every command before it ends: see its stderr");
            let answer: Answer = serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("{error} in peer.py's answer {line}"));
            // An earlier answer belongs to a dropped call.
            if answer.id == self.last {
                return answer.error.map_or(Ok(answer.ok), Err);
            }
        }
    }
}
