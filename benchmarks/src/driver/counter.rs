//! Counts the instructions of a program.

use std::time::Duration;

use rpc_tests::Process;
use tokio::process::Command;

/// A program takes fifty times as long under valgrind.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Counter {
    /// The processor's counter of instructions outside the kernel.
    Perf,
    Callgrind,
}

impl Counter {
    /// The best counter that works on this machine.
    pub(crate) async fn find() -> Option<Self> {
        for counter in [Self::Perf, Self::Callgrind] {
            let output = counter.wrap(&Command::new("true")).output().await;
            let printed = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
            if printed.is_ok_and(|printed| counter.count(&printed).is_some()) {
                return Some(counter);
            }
        }
        None
    }

    /// The command under the counter.
    pub(crate) fn wrap(self, command: &Command) -> Command {
        let (counter, arguments) = match self {
            // On SIGTERM perf ends before it prints. So it ignores the signal, and ends with its program.
            Self::Perf => (
                "sh",
                &["-c", "trap '' TERM; exec perf stat -x ';' -e instructions:u -- \"$@\"", "perf"]
                    [..],
            ),
            Self::Callgrind => {
                ("valgrind", &["--tool=callgrind", "--callgrind-out-file=/dev/null"][..])
            }
        };
        let command = command.as_std();
        let mut wrapped = Command::new(counter);
        wrapped.args(arguments).arg(command.get_program()).args(command.get_args());
        wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        wrapped
    }

    /// Waits for the end of the process and returns its number of instructions.
    pub(crate) async fn read(self, process: Process) -> f64 {
        let printed = process.success(PATIENCE).await;
        self.count(&printed).unwrap_or_else(|| panic!("no instructions in {printed}"))
    }

    fn count(self, printed: &str) -> Option<f64> {
        printed.lines().find_map(|line| match self {
            Self::Perf => line.split_once(";;instructions")?.0.trim().parse().ok(),
            Self::Callgrind => line.split_once("Collected :")?.1.trim().parse().ok(),
        })
    }
}
