//! Instructions for each call: the difference between runs of twice as many calls and once as many. Unlike times they can
//! be compared between runs and days.

use std::time::Duration;

use rpc_benchmarks::arguments::{Flavour, NUMBER};

use crate::broker::Broker;
use crate::contender::{Contender, Setting};
use crate::counter::Counter;
use crate::flags::{Flags, Part};
use crate::statistics::Spread;
use crate::table;

/// One thread (lapin has its own): the number of wake-ups between threads is random.
const FLAVOUR: Flavour = Flavour::CurrentThread;
const WINDOWS: [usize; 2] = [1, 16];
const ROUNDS: usize = 3;

/// How long calls may take while instructions are counted.
const PATIENCE: Duration = Duration::from_secs(600);

/// The measured end of a contender.
#[derive(Clone, Copy)]
enum Role {
    Client,
    Server,
}

pub(crate) async fn run(flags: &Flags, broker: &Broker) {
    if !flags.has(Part::Instructions) {
        return;
    }
    let Some(counter) = Counter::find().await else {
        eprintln!("== instructions are not counted: neither perf nor valgrind works here");
        return;
    };
    eprintln!("== instructions");
    // A quick run counts once: valgrind takes a second to start each time.
    let (calls, rounds, rows, windows) = if flags.quick {
        (20, 1, 1, &WINDOWS[..1])
    } else {
        (1_000, ROUNDS, usize::MAX, &WINDOWS[..])
    };
    let columns: Vec<String> = windows.iter().map(|window| format!("{window} in flight")).collect();
    table::head("instructions a call", &columns);
    let study = Study { counter, broker, calls };
    for (contender, role) in rows_of(flags).iter().take(rows) {
        let mut columns = Vec::new();
        for &window in windows {
            let mut counts = Vec::new();
            for _ in 0..rounds {
                counts.push(study.each_call(contender, *role, window).await);
            }
            columns.push(Spread::of(counts));
        }
        table::row(&format!("{}{}", contender.name, role.suffix()), columns);
    }
}

fn rows_of(flags: &Flags) -> Vec<(Contender, Role)> {
    let pairs =
        [("ours", "ours"), ("naive lapin", "lapin-naive"), ("batched lapin", "lapin-batched")];
    let pairs = pairs.into_iter().flat_map(|(name, program)| {
        [Role::Client, Role::Server].map(|role| (Contender::own(name, program, &[], FLAVOUR), role))
    });
    pairs.filter(|(contender, _)| flags.wants(&contender.name)).collect()
}

impl Role {
    fn suffix(self) -> &'static str {
        match self {
            Self::Client => ", client",
            Self::Server => ", server",
        }
    }
}

struct Study<'a> {
    counter: Counter,
    broker: &'a Broker,
    calls: usize,
}

impl Study<'_> {
    async fn each_call(&self, contender: &Contender, role: Role, window: usize) -> f64 {
        let setting = Setting { servers: 1, window, payload: NUMBER };
        let count = async |calls| match role {
            Role::Client => self.of_client(contender, setting, calls).await,
            Role::Server => self.of_server(contender, setting, calls).await,
        };
        let (once, twice) = (count(self.calls).await, count(2 * self.calls).await);
        #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
        let calls = self.calls as f64;
        (twice - once) / calls
    }

    async fn of_client(&self, contender: &Contender, setting: Setting, calls: usize) -> f64 {
        let _server = contender.serve(self.broker).await;
        let client = self.counter.wrap(&contender.client(self.broker, setting, calls));
        self.counter.read(contender.start("client", client)).await
    }

    async fn of_server(&self, contender: &Contender, setting: Setting, calls: usize) -> f64 {
        let command = contender.server(self.broker);
        let before = self.broker.consumers().await;
        let server = contender.start("server", self.counter.wrap(&command));
        contender.wait_until_ready(&server, self.broker, before).await;
        contender.call(self.broker, setting, calls).success(PATIENCE).await;
        server.terminate();
        self.counter.read(server).await
    }
}
