//! Targets beside the measured figures. A missed target does not fail the run.

use std::fmt;

use crate::statistics::Spread;

/// The bound of a target.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    Unbound,
    AtLeast(f64),
    AtMost(f64),
}

#[derive(Debug, Default)]
pub(crate) struct Targets {
    lines: Vec<Target>,
}

#[derive(Debug)]
struct Target {
    what: String,
    bound: Bound,
    then: Bound,
    measured: Spread,
}

impl Targets {
    /// Adds a target with the bound of today and a later one; nothing if it was not measured.
    pub(crate) fn add(&mut self, what: &str, bound: Bound, then: Bound, measured: Option<Spread>) {
        if let Some(measured) = measured {
            self.lines.push(Target { what: what.to_owned(), bound, then, measured });
        }
    }

    pub(crate) fn print(&self) {
        if self.lines.is_empty() {
            return;
        }
        println!("\n| target | | measured | met | then | met |");
        println!("| --- | --- | ---: | --- | --- | --- |");
        for Target { what, bound, then, measured } in &self.lines {
            let [met, then_met] = [bound, then].map(|bound| bound.met(measured));
            println!("| {what} | {bound} | {measured} | {met} | {then} | {then_met} |");
        }
    }
}

impl Bound {
    fn met(self, measured: &Spread) -> &'static str {
        let met = match self {
            Self::Unbound => return "",
            Self::AtLeast(bound) => measured.median >= bound,
            Self::AtMost(bound) => measured.median <= bound,
        };
        if met { "yes" } else { "no" }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbound => Ok(()),
            Self::AtLeast(bound) => write!(f, "≥ {bound}"),
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
        }
    }
}
