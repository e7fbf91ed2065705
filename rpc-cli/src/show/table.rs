//! Tables with aligned columns.

use std::fmt::{self, Write as _};

use rpc_runtime::Escaped;

use super::BOLD;

/// Longest text of a cell, in characters.
const LONGEST: usize = 200;

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows under a heading, each column as wide as its widest text.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row. Each cell is escaped, and cut to `LONGEST`.
    pub(crate) fn row<const COLUMNS: usize>(&mut self, cells: [String; COLUMNS]) {
        let shown = |cell| Escaped::new(cell).at_most(LONGEST).to_string();
        self.rows.push(cells.into_iter().map(shown).collect());
    }

    fn widths(&self) -> Vec<usize> {
        let of_column = |(index, (name, _)): (usize, &(&str, Align))| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            cells.map(|cell| width(cell)).max().unwrap_or(0).max(width(name))
        };
        self.columns.iter().enumerate().map(of_column).collect()
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let written = |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for ((cell, width), (_, align)) in cells.zip(&widths).zip(&self.columns) {
                let _ = match align {
                    Align::Left => write!(line, "{cell:<width$}  "),
                    Align::Right => write!(line, "{cell:>width$}  "),
                };
            }
            line.trim_end().to_owned()
        };
        let heading = written(&mut self.columns.iter().map(|(name, _)| *name));
        write!(f, "{BOLD}{heading}{BOLD:#}")?;
        for row in &self.rows {
            write!(f, "\n{}", written(&mut row.iter().map(String::as_str)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&[("NAME", Align::Left), ("CALLS", Align::Right)]);
        table.row(["fib".to_owned(), "12".to_owned()]);
        table.row(["a-long-name".to_owned(), "1234567".to_owned()]);
        let plain = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(
            plain,
            "NAME           CALLS\n\
             fib               12\n\
             a-long-name  1234567"
        );
    }

    #[test]
    fn a_cell_is_one_short_line() {
        let mut table = Table::new(&[("ABOUT", Align::Left)]);
        table.row(["one\ntwo\u{202e}".to_owned()]);
        table.row(["x".repeat(1_000_000)]);
        let plain = anstream::adapter::strip_str(&table.to_string()).to_string();
        let lines: Vec<&str> = plain.lines().collect();
        assert_eq!((lines.len(), lines[1]), (3, "one\\ntwo\\u{202e}"));
        assert_eq!(lines[2].chars().count(), LONGEST + 1);
    }
}
