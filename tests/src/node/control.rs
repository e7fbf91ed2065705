use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::{Node, install};

const PATIENCE: Duration = Duration::from_secs(60);

impl Node {
    /// Runs `rabbitmqctl` on this node and returns what it prints. Takes about a second; [`eval`](Self::eval) takes milliseconds.
    ///
    /// # Panics
    ///
    /// If it fails, with its output.
    pub async fn ctl(&self, arguments: &[&str]) -> String {
        self.try_ctl(arguments)
            .await
            .unwrap_or_else(|error| panic!("rabbitmqctl {arguments:?}: {error}"))
    }

    /// [`ctl`](Self::ctl) that may fail.
    ///
    /// # Errors
    ///
    /// Its output, if it fails.
    pub async fn try_ctl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = self.tool(&self.install.ctl());
        command.arg("--quiet").args(arguments).stdin(Stdio::null());
        answer(timeout(PATIENCE, command.output()).await)
    }

    /// Evaluates an Erlang expression in the node, such as `rabbit_misc:version().`, and returns the value as Erlang prints it.
    ///
    /// # Panics
    ///
    /// If it fails, with Erlang's error.
    pub async fn eval(&self, expression: &str) -> String {
        let Some(erl_call) = install::erlang("erl_call") else {
            return self.ctl(&["eval", expression]).await;
        };
        let mut command = self.tool(&erl_call);
        command.args(["-sname", &self.name, "-c", &self.files.cookie, "-e"]).stdin(Stdio::piped());
        let call = async {
            let mut child = command.spawn()?;
            if let Some(mut input) = child.stdin.take() {
                // Erlang reads to the end of the line.
                input.write_all(format!("{expression}\n").as_bytes()).await?;
            }
            child.wait_with_output().await
        };
        let printed = answer(timeout(PATIENCE, call).await);
        match printed
            .as_deref()
            .map(|text| text.strip_prefix("{ok, ").and_then(|rest| rest.strip_suffix('}')))
        {
            Ok(Some(value)) => value.to_owned(),
            _ => panic!("{expression} in {}: {printed:?}", self.name),
        }
    }

    /// Ends every client connection from the broker's side.
    pub async fn close_connections(&self) {
        self.eval("[rabbit_networking:close_connection(C, \"by the test\") || C <- rabbit_networking:connections()], ok.")
            .await;
    }

    /// Makes this node, which must be [beside](crate::NodeBuilder::beside) the other, part of its cluster.
    pub async fn join(&self, other: &Self) {
        self.ctl(&["stop_app"]).await;
        self.ctl(&["join_cluster", other.name()]).await;
        self.ctl(&["start_app"]).await;
    }

    /// Writes to disk what the node would write half a second later. On 3.10 a quorum queue declared just before
    /// [`kill9`](Self::kill9) exists afterwards, but never gets a leader.
    pub async fn settle(&self) {
        self.eval("[ok = dets:sync(Table) || Table <- dets:all()], ok.").await;
    }

    /// Adds a user with rights in the default virtual host, as regular expressions: configure, write, read.
    pub async fn add_user(&self, user: &str, password: &str, [configure, write, read]: [&str; 3]) {
        self.ctl(&["add_user", user, password]).await;
        self.ctl(&["set_permissions", user, configure, write, read]).await;
    }

    fn tool(&self, program: &std::path::Path) -> Command {
        let mut command = Command::new(program);
        command
            .envs(self.files.environment(&self.name, self.ports))
            // Without this, the tool would use the server's arguments, such as `-start_epmd`.
            .env_remove("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

fn answer(
    output: Result<std::io::Result<Output>, tokio::time::error::Elapsed>,
) -> Result<String, String> {
    let output = output
        .map_err(|_| format!("no answer after {PATIENCE:?}"))?
        .map_err(|error| format!("does not start: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        Ok(printed)
    } else {
        Err(format!(
            "{}: {printed} {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ))
    }
}
