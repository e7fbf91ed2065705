//! Everything in turns, so that whatever else the machine does falls on all alike.

use std::collections::HashMap;

use rpc_tests::Process;

use crate::broker::Broker;
use crate::contender::{Contender, Setting};
use crate::flags::Flags;
use crate::run::{Measured, measure};

/// A contender at a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Cell {
    pub(crate) contender: usize,
    pub(crate) setting: Setting,
}

pub(crate) struct Rounds<'a> {
    pub(crate) broker: &'a Broker,
    pub(crate) contenders: &'a [Contender],
    pub(crate) cells: Vec<Cell>,
    pub(crate) flags: &'a Flags,
}

/// What each cell came to in each round.
pub(crate) type Results = HashMap<Cell, Vec<Measured>>;

impl Rounds<'_> {
    /// Measures with so many servers for each contender.
    pub(crate) async fn run(&self, servers: usize) -> Results {
        let mut running = Vec::new();
        for contender in self.contenders {
            let mut processes = Vec::new();
            for _ in 0..servers {
                processes.push(contender.serve(self.broker).await);
            }
            running.push(processes);
        }
        eprintln!("== finding out how many calls to make");
        let mut totals = HashMap::new();
        for cell in &self.cells {
            totals.insert(*cell, self.calls_for_a_measurement(*cell, &running).await);
        }
        let mut results = Results::new();
        for round in 0..self.flags.rounds {
            eprintln!("== round {} of {}", round + 1, self.flags.rounds);
            let mut cells = self.cells.clone();
            // So that none is always measured after the same other one.
            if round % 2 == 1 {
                cells.reverse();
            }
            for cell in cells {
                let measured = self.measure(cell, &running, totals[&cell]).await;
                results.entry(cell).or_default().push(measured);
            }
        }
        results
    }

    async fn measure(&self, cell: Cell, running: &[Vec<Process>], total: usize) -> Measured {
        let contender = &self.contenders[cell.contender];
        measure(contender, &running[cell.contender], self.broker, cell.setting, total).await
    }

    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rough number of calls, and not a negative one"
    )]
    async fn calls_for_a_measurement(&self, cell: Cell, running: &[Vec<Process>]) -> usize {
        let trial = 500.max(cell.setting.window * 4);
        let rate = self.measure(cell, running, trial).await.rate;
        // A trial is slower than what follows.
        let calls = (rate * self.flags.seconds) as usize;
        calls.max(cell.setting.window)
    }
}
