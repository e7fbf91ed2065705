//! Results, as tables in Markdown.

use crate::contender::Contender;
use crate::rounds::{Cell, Results};
use crate::run::Measured;
use crate::statistics::Spread;

type Get = fn(&Measured) -> Option<f64>;

const MEASURES: [(&str, Get); 6] = [
    ("calls/s", |measured| Some(measured.rate)),
    ("p50, µs", |measured| measured.p50),
    ("p99, µs", |measured| measured.p99),
    ("client, processor µs a call", |measured| measured.client),
    ("server, processor µs a call", |measured| measured.server),
    ("broker, processor µs a call", |measured| measured.broker),
];

/// A row for each contender and measure, a column for each number of calls in flight.
pub(crate) fn by_window(contenders: &[Contender], windows: &[usize], results: &Results) {
    let heads: Vec<String> = windows.iter().map(|window| format!("{window} in flight")).collect();
    println!("\n| median (quartiles) | {} |", heads.join(" | "));
    println!("| --- |{}", " ---: |".repeat(windows.len()));
    for (measure, get) in MEASURES {
        println!("| **{measure}** |{}", " |".repeat(windows.len()));
        for (index, contender) in contenders.iter().enumerate() {
            let columns = windows.iter().map(|window| {
                let of_this =
                    |cell: &&Cell| cell.contender == index && cell.setting.window == *window;
                let values = results.keys().find(of_this).and_then(|cell| results.get(cell));
                let spread = Spread::of(values.into_iter().flatten().filter_map(get));
                spread.map_or_else(|| "–".to_owned(), |spread| spread.to_string())
            });
            println!("| {} | {} |", contender.name(), columns.collect::<Vec<_>>().join(" | "));
        }
    }
}
