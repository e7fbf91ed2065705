//! Measures everything in turns, so that other load on the machine affects all contenders equally.

use std::collections::HashMap;

use rpc_tests::Process;

use crate::broker::Broker;
use crate::contender::{Contender, Setting};
use crate::flags::Flags;
use crate::measurement::Measurement;
use crate::results::{Cell, Results};

pub(crate) struct Rounds<'a> {
    pub(crate) broker: &'a Broker,
    pub(crate) contenders: &'a [Contender],
    pub(crate) settings: Vec<Setting>,
    pub(crate) flags: &'a Flags,
}

/// The running servers of each contender.
type Servers = Vec<Vec<Process>>;

impl Rounds<'_> {
    pub(crate) async fn run(&self) -> Results {
        let mut results = Results::default();
        let mut servers: Servers = self.contenders.iter().map(|_| Vec::new()).collect();
        let mut totals = HashMap::new();
        // A trial decides how many calls to make. A quick run has only the trial.
        let rounds = if self.flags.quick { 0 } else { self.flags.rounds() };
        for round in 0..=rounds {
            match round {
                0 => eprintln!("== trying out how many calls to make"),
                _ => eprintln!("== round {round} of {rounds}"),
            }
            for count in self.server_counts() {
                self.have(&mut servers, count).await;
                for cell in self.cells(count, round) {
                    let total =
                        totals.get(&cell).copied().unwrap_or_else(|| self.trial(cell.setting));
                    let measured = self.measure(cell, &servers, total).await;
                    if round == 0 {
                        totals.insert(cell, self.calls_at(measured.rate).max(cell.setting.window));
                    }
                    if round == rounds || round > 0 {
                        results.add(cell, &self.contenders[cell.contender].name, measured);
                    }
                }
            }
        }
        results
    }

    fn server_counts(&self) -> Vec<usize> {
        let mut counts: Vec<usize> = self.settings.iter().map(|setting| setting.servers).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    /// The cells with so many servers, in the order of this round. The order differs between rounds, so that no cell always
    /// follows the same other one.
    fn cells(&self, servers: usize, round: usize) -> Vec<Cell> {
        let settings = self.settings.iter().filter(|setting| setting.servers == servers);
        let mut cells = Vec::new();
        for &setting in settings {
            let able = |(contender, it): (usize, &Contender)| it.can(setting).then_some(contender);
            let contenders = self.contenders.iter().enumerate().filter_map(able);
            cells.extend(contenders.map(|contender| Cell { contender, setting }));
        }
        if round.is_multiple_of(2) {
            cells.reverse();
        }
        cells
    }

    async fn have(&self, servers: &mut Servers, count: usize) {
        for (contender, running) in self.contenders.iter().zip(servers) {
            running.truncate(count);
            while running.len() < count {
                running.push(contender.serve(self.broker).await);
            }
        }
    }

    async fn measure(&self, cell: Cell, servers: &Servers, total: usize) -> Measurement {
        let Cell { contender, setting } = cell;
        let (contender, servers) = (&self.contenders[contender], &servers[contender]);
        Measurement::take(contender, servers, self.broker, setting, total).await
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rough number of calls, and not a negative one"
    )]
    fn calls_at(&self, rate: f64) -> usize {
        (rate * self.flags.seconds()) as usize
    }

    /// How many calls are enough to estimate the rate.
    fn trial(&self, setting: Setting) -> usize {
        const BYTES: usize = 16 * 1024 * 1024;
        let calls = if self.flags.quick { 100 } else { 1_000 };
        let affordable = BYTES / setting.payload.max(1);
        affordable.min(calls.max(2 * setting.window)).max(setting.window)
    }
}
