//! Tables in Markdown.

use crate::statistics::Spread;

/// Prints the heading of a table.
pub(crate) fn head(title: &str, columns: &[String]) {
    println!("\n| {title} | {} |", columns.join(" | "));
    println!("| --- |{}", " ---: |".repeat(columns.len()));
}

/// Prints the line above the rows of one measure.
pub(crate) fn section(name: &str, columns: usize) {
    println!("| **{name}** |{}", " |".repeat(columns));
}

/// Prints a row, unless it is empty.
pub(crate) fn row(name: &str, columns: impl IntoIterator<Item = Option<Spread>>) {
    let columns: Vec<Option<Spread>> = columns.into_iter().collect();
    if columns.iter().any(Option::is_some) {
        let shown = columns.iter().map(|column| shown(*column));
        println!("| {name} | {} |", shown.collect::<Vec<_>>().join(" | "));
    }
}

/// A figure, or a dash for none.
pub(crate) fn shown(spread: Option<Spread>) -> String {
    spread.map_or_else(|| "–".to_owned(), |spread| spread.to_string())
}
