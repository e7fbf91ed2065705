use std::env;
use std::path::{Path, PathBuf};

/// Where RabbitMQ's own scripts are.
#[derive(Debug, Clone)]
pub(crate) struct Install {
    scripts: PathBuf,
}

/// Where the real scripts are. Debian, Fedora and SUSE have wrappers in `/usr/sbin` that change the user and drop the
/// environment.
const SCRIPTS: [&str; 4] =
    ["/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin", "/opt/homebrew/sbin", "/usr/local/sbin"];

impl Install {
    /// Uses the directory in `RPC_TEST_RABBITMQ`, otherwise the usual places, then `PATH`.
    pub(crate) fn find() -> Option<Self> {
        if let Some(given) = env::var_os("RPC_TEST_RABBITMQ") {
            let scripts = PathBuf::from(given);
            assert!(
                scripts.join("rabbitmq-server").is_file(),
                "RPC_TEST_RABBITMQ={} holds no rabbitmq-server",
                scripts.display()
            );
            return Some(Self { scripts });
        }
        let usual = SCRIPTS.into_iter().map(PathBuf::from);
        usual
            .chain(path())
            .find(|directory| directory.join("rabbitmq-server").is_file())
            .map(|scripts| Self { scripts })
    }

    pub(super) fn server(&self) -> PathBuf {
        self.scripts.join("rabbitmq-server")
    }

    pub(super) fn ctl(&self) -> PathBuf {
        self.scripts.join("rabbitmqctl")
    }
}

/// One of Erlang's programs, `epmd` or `erl_call`.
pub(super) fn erlang(program: &str) -> Option<PathBuf> {
    path()
        .chain(
            ["/usr/lib/erlang/bin", "/usr/lib64/erlang/bin", "/usr/local/lib/erlang/bin"]
                .map(PathBuf::from),
        )
        .map(|directory| directory.join(program))
        .find(|program| Path::is_file(program))
}

fn path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect::<Vec<_>>().into_iter()
}
