use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ports::Ports;
use crate::unique;

/// A node's directory: configuration, data, logs, and the cookie that authenticates RabbitMQ's tools.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    pub(super) cookie: String,
    extra: Vec<(String, String)>,
}

impl Files {
    pub(super) fn write(
        root: &Path,
        ports: Ports,
        lines: &[String],
        plugins: &[String],
        cookie: Option<&str>,
    ) -> Self {
        let cookie = cookie.map_or_else(|| unique("cookie"), str::to_owned);
        for directory in ["home", "data", "log"] {
            fs::create_dir(root.join(directory)).expect("the temporary directory is writable");
        }
        write(&root.join("home/.erlang.cookie"), &cookie);
        fs::set_permissions(root.join("home/.erlang.cookie"), Permissions::from_mode(0o400))
            .expect("the cookie is ours");
        write(&root.join("rabbitmq.conf"), &configuration(root, ports, lines));
        write(&root.join("enabled_plugins"), &format!("[{}].\n", plugins.join(",")));
        // An empty file, so that the machine's /etc/rabbitmq/rabbitmq-env.conf is not read.
        write(&root.join("env.conf"), "");
        Self { root: root.to_owned(), cookie, extra: Vec::new() }
    }

    pub(super) fn with_files(self, files: &[(String, String)]) -> Self {
        for (name, text) in files {
            write(&self.root.join(name), text);
        }
        self
    }

    pub(super) fn with_environment(mut self, extra: Vec<(String, String)>) -> Self {
        self.extra = extra;
        self
    }

    /// The environment that makes RabbitMQ's scripts and Erlang's tools use only this node.
    pub(super) fn environment(&self, name: &str, ports: Ports) -> Vec<(String, String)> {
        let path = |file: &str| self.root.join(file).display().to_string();
        let mut variables: Vec<(String, String)> = [
            ("HOME", path("home")),
            ("RABBITMQ_NODENAME", name.to_owned()),
            ("RABBITMQ_NODE_PORT", ports.amqp.to_string()),
            ("RABBITMQ_DIST_PORT", ports.distribution.to_string()),
            ("RABBITMQ_MNESIA_BASE", path("data")),
            ("RABBITMQ_LOG_BASE", path("log")),
            ("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf")),
            ("RABBITMQ_CONF_ENV_FILE", path("env.conf")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", path("enabled_plugins")),
            ("RABBITMQ_PLUGINS_EXPAND_DIR", path("plugins")),
            ("RABBITMQ_PID_FILE", path("pid")),
            // Else one that is killed while it starts or is asked leaves it in the sources.
            ("ERL_CRASH_DUMP", path("erl_crash.dump")),
            ("ERL_EPMD_PORT", ports.epmd.to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            // Two schedulers leave processor time to the tests. The port mapper was started before.
            (
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "+S 2:2 +SDcpu 1:1 +SDio 4 -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}".to_owned(),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        variables.extend(self.extra.iter().cloned());
        variables
    }

    /// Redirects the output of the server to a file.
    pub(super) fn capture(&self, command: &mut Command) {
        let output =
            File::create(self.root.join("stdout")).expect("the node's directory is writable");
        let errors = output.try_clone().expect("a file can be shared");
        command.stdout(output).stderr(errors);
    }

    /// Whether the server printed that it has started.
    pub(super) fn booted(&self) -> bool {
        fs::read_to_string(self.root.join("stdout"))
            .is_ok_and(|text| text.contains("completed with"))
    }

    pub(super) fn log(&self) -> String {
        let logs = fs::read_dir(self.root.join("log")).into_iter().flatten().flatten();
        let files = logs.map(|entry| entry.path()).chain([self.root.join("stdout")]);
        files.fold(String::new(), |mut all, file| {
            let text = fs::read(&file).unwrap_or_default();
            let _ = writeln!(all, "== {}\n{}", file.display(), String::from_utf8_lossy(&text));
            all
        })
    }
}

fn configuration(root: &Path, ports: Ports, lines: &[String]) -> String {
    let mut text = format!("listeners.tcp.1 = 127.0.0.1:{}\n", ports.amqp);
    for line in [
        "num_acceptors.tcp = 2",
        "log.console = false",
        "disk_free_limit.absolute = 50MB",
        "vm_memory_high_watermark.absolute = 1GB",
        // The default, 512 MB, is more than tests need, and is held in memory too.
        "raft.wal_max_size_bytes = 33554432",
    ] {
        // A key may appear only once; a test's own value replaces ours.
        let key = line.split('=').next();
        if !lines.iter().any(|own| own.split('=').next().map(str::trim) == key.map(str::trim)) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(&lines.join("\n").replace("$NODE", &root.display().to_string()));
    text.push('\n');
    text
}

fn write(path: &Path, text: &str) {
    fs::write(path, text)
        .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}
