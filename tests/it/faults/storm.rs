//! Many random faults at the same time. Afterwards the outcome of every call has to be right.
//!
//! `RPC_STORM_SECONDS` makes it longer, `RPC_STORM_SEED` repeats an earlier run (except for the timing of the machine).

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use rpc_tests::{Direction, Node, Process, Random, Relay, unique};
use tokio::time::{Instant, sleep};

use super::ledger::runs;
use super::{fault_server, relay_to, text};

const SECONDS: u64 = 20;
const CALLERS: u64 = 2;
const SIDE_BY_SIDE: u64 = 25;
const SERVERS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(120);

/// The number of faults of each kind.
#[derive(Debug, Default)]
struct Faults {
    cuts: u32,
    cuts_within: u32,
    stalls: u32,
    servers_killed: u32,
    servers_ended: u32,
    brokers_killed: u32,
}

/// How the calls ended.
#[derive(Debug, Default)]
struct Figures {
    calls: usize,
    answered: usize,
    unknown: usize,
    not_run: usize,
    wrong: usize,
    hung: usize,
    lost: usize,
    ran_twice_though_at_most_once: usize,
    ran_though_reported_not_run: usize,
    answered_without_a_run: usize,
    runs: usize,
    run_again: usize,
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}

/// Rows 3 to 9, 23 and 24.
#[tokio::test]
async fn every_call_of_a_storm_is_accounted_for() {
    let seed = number("RPC_STORM_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::from(now.subsec_nanos())
    });
    let seconds = number("RPC_STORM_SECONDS").unwrap_or(SECONDS);
    println!("storm: seed {seed}, {seconds} seconds");

    let storm = Storm::start(seconds).await;
    let faults = storm.rage(Random::new(seed), Duration::from_secs(seconds)).await;
    let figures = storm.end().await;
    println!("storm: {faults}\nstorm: {figures}");

    let never = [
        ("a wrong answer", figures.wrong),
        ("a call that hung", figures.hung),
        ("a call that was lost", figures.lost),
        ("a second run of what may run once", figures.ran_twice_though_at_most_once),
        ("a run of a call reported as not run", figures.ran_though_reported_not_run),
        ("an answer without a run", figures.answered_without_a_run),
    ];
    for (what, times) in never {
        assert_eq!(times, 0, "{what} (seed {seed}): {figures:?}");
    }
    assert!(figures.answered > 0, "{figures:?}");
}

struct Storm {
    node: Node,
    queue: String,
    directory: tempfile::TempDir,
    to_callers: Relay,
    to_servers: Relay,
    url_of_servers: String,
    servers: tokio::sync::Mutex<Vec<Process>>,
    callers: Vec<Process>,
}

impl Storm {
    async fn start(seconds: u64) -> Self {
        let node = Node::start().await;
        let (queue, directory) = (unique("storm"), tempfile::tempdir().unwrap());
        let (to_servers, url_of_servers) = relay_to(&node.url()).await;
        let (to_callers, url_of_callers) = relay_to(&node.url()).await;
        let mut storm = Self {
            node,
            queue,
            directory,
            to_callers,
            to_servers,
            url_of_servers,
            servers: tokio::sync::Mutex::default(),
            callers: Vec::new(),
        };
        for _ in 0..SERVERS {
            let server = storm.server().await;
            storm.servers.get_mut().push(server);
        }
        storm.node.settle().await;
        let (seconds, lanes) = (seconds.to_string(), SIDE_BY_SIDE.to_string());
        for caller in 1..=CALLERS {
            let number = caller.to_string();
            let place = text(storm.directory.path());
            let arguments = [&url_of_callers, &storm.queue, place, &number, &seconds, &lanes];
            let caller = Process::example("fault_caller", &arguments).await;
            caller.line_with("calling", PATIENCE).await;
            storm.callers.push(caller);
        }
        storm
    }

    async fn server(&self) -> Process {
        let place = text(self.directory.path());
        fault_server(&[&self.url_of_servers, &self.queue, place, "5"], None).await
    }

    async fn rage(&self, mut random: Random, time: Duration) -> Faults {
        let (mut faults, started) = (Faults::default(), Instant::now());
        let mut below = |bound| u64::try_from(random.below(bound)).unwrap();
        let kills = [time / 3, time * 2 / 3];
        while started.elapsed() < time {
            sleep(Duration::from_millis(100 + below(500))).await;
            let relay = if below(2) == 0 { &self.to_callers } else { &self.to_servers };
            if let Some(kill) = kills.get(faults.brokers_killed as usize)
                && started.elapsed() > *kill
            {
                faults.brokers_killed += 1;
                self.node.kill9();
                self.node.restart().await;
                continue;
            }
            match below(6) {
                0 => {
                    faults.cuts += 1;
                    relay.cut();
                }
                1 | 2 => {
                    faults.cuts_within += 1;
                    relay.cut_after(below(20_000));
                }
                3 => {
                    faults.stalls += 1;
                    relay.stall(
                        [Direction::Both, Direction::ToBroker, Direction::ToClient]
                            [usize::try_from(below(3)).unwrap()],
                    );
                    sleep(Duration::from_millis(below(2_500))).await;
                    relay.resume();
                }
                other => {
                    let mut servers = self.servers.lock().await;
                    let mut server = servers.remove(0);
                    // Faults go on only after it is replaced.
                    if other == 4 {
                        faults.servers_killed += 1;
                        server.kill9();
                    } else {
                        faults.servers_ended += 1;
                        server.terminate();
                        let ended = server.wait(PATIENCE).await;
                        assert!(ended.success(), "{:?}", server.lines());
                    }
                    servers.push(self.server().await);
                }
            }
        }
        self.to_callers.resume();
        self.to_servers.resume();
        faults
    }

    async fn end(self) -> Figures {
        for caller in self.callers {
            let printed = caller.success(PATIENCE).await;
            assert!(printed.contains("done, 0 in flight"), "{printed}");
        }
        account(self.directory.path())
    }
}

fn account(directory: &Path) -> Figures {
    let mut counts: HashMap<u64, usize> = HashMap::new();
    for run in runs(directory) {
        *counts.entry(run).or_default() += 1;
    }
    let mut figures = Figures {
        runs: counts.values().sum(),
        run_again: counts.values().map(|runs| runs - 1).sum(),
        ..Figures::default()
    };
    for caller in 1..=CALLERS {
        let report = std::fs::read_to_string(directory.join(format!("ended-{caller}"))).unwrap();
        for line in report.lines() {
            figures.count(line, &counts);
        }
    }
    figures
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cuts, cuts_within, stalls, servers_killed, servers_ended, brokers_killed } =
            self;
        write!(
            f,
            "{cuts} cuts, {cuts_within} within a message, {stalls} stalls, {servers_killed} servers killed, \
             {servers_ended} ended in order, {brokers_killed} times the broker killed"
        )
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, answered, unknown, not_run, runs, run_again, .. } = self;
        let Self { wrong, hung, lost, .. } = self;
        write!(
            f,
            "{calls} calls: {answered} answered, {unknown} of unknown outcome, {not_run} not run; \
             {runs} runs, {run_again} of them again; {wrong} wrong answers, {hung} hung, {lost} lost"
        )
    }
}

impl Figures {
    fn count(&mut self, line: &str, counts: &HashMap<u64, usize>) {
        let mut words = line.split(' ');
        let id: u64 = words.next().unwrap().parse().unwrap();
        let (method, ended, why) = (words.next().unwrap(), words.next().unwrap(), words.next());
        let runs = counts.get(&id).copied().unwrap_or(0);
        self.calls += 1;
        match ended {
            "answered" => {
                self.answered += 1;
                self.answered_without_a_run += usize::from(runs == 0);
            }
            "unknown" => self.unknown += 1,
            "not-run" => {
                self.not_run += 1;
                self.ran_though_reported_not_run += usize::from(runs > 0);
            }
            "wrong" => self.wrong += 1,
            _ => self.hung += 1,
        }
        // Deadlines are long: a call that reaches its deadline was lost.
        self.lost += usize::from(why == Some("deadline"));
        self.ran_twice_though_at_most_once += usize::from(method == "once" && runs > 1);
    }
}
