//! The measurements by row, setting and round.

use std::collections::HashMap;

use crate::contender::Setting;
use crate::measurement::Measurement;
use crate::statistics::Spread;

/// The index of a contender, and a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Cell {
    pub(crate) contender: usize,
    pub(crate) setting: Setting,
}

#[derive(Debug, Default)]
pub(crate) struct Results {
    names: HashMap<String, usize>,
    rounds: HashMap<Cell, Vec<Measurement>>,
}

/// Reads one figure of a measurement.
pub(crate) type Figure = fn(&Measurement) -> Option<f64>;

impl Results {
    /// Adds a measurement. Rounds are added in order.
    pub(crate) fn add(&mut self, cell: Cell, name: &str, measured: Measurement) {
        self.names.entry(name.to_owned()).or_insert(cell.contender);
        self.rounds.entry(cell).or_default().push(measured);
    }

    pub(crate) fn spread(&self, name: &str, setting: Setting, figure: Figure) -> Option<Spread> {
        Spread::of(self.each(name, setting, figure)?)
    }

    /// The ratio of two cells, for each round: the two were measured one after the other.
    pub(crate) fn ratio(
        &self,
        (name, setting): (&str, Setting),
        (other, other_setting): (&str, Setting),
        figure: Figure,
    ) -> Option<Spread> {
        let ones = self.each(name, setting, figure)?;
        let others = self.each(other, other_setting, figure)?;
        Spread::of(ones.iter().zip(others).map(|(one, other)| one / other))
    }

    /// The ratio to the larger of two others.
    pub(crate) fn ratio_to_best(
        &self,
        name: &str,
        others: [&str; 2],
        setting: Setting,
        figure: Figure,
    ) -> Option<Spread> {
        let [first, second] = others.map(|other| self.each(other, setting, figure));
        let best = first?.into_iter().zip(second?).map(|(first, second)| first.max(second));
        Spread::of(self.each(name, setting, figure)?.iter().zip(best).map(|(one, best)| one / best))
    }

    fn each(&self, name: &str, setting: Setting, figure: Figure) -> Option<Vec<f64>> {
        let cell = Cell { contender: *self.names.get(name)?, setting };
        self.rounds.get(&cell)?.iter().map(figure).collect()
    }
}
