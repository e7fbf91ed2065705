//! The table on the terminal.

use std::time::Duration;

use ratatui::{
    Frame,
    layout::{Constraint, Layout},
    style::{Color, Modifier, Style},
    text::Line,
    widgets::{Cell, Row as TableRow, Table},
};
use rpc_runtime::BrokerError;

use super::rows::{Order, Row, Snapshot, rows};
use crate::{duration, failure::in_full, show::clean};

const HEADINGS: [&str; 9] =
    ["SERVICE", "METHOD", "SERVERS", "CALLS/S", "ERRORS/S", "NOW", "P50", "P99", "WAITING"];

/// The state of the screen.
#[derive(Debug)]
pub(super) struct View {
    service: Option<String>,
    before: Option<Snapshot>,
    now: Option<Snapshot>,
    order: Order,
    /// Why the last update failed.
    trouble: Option<String>,
}

impl View {
    pub(super) fn new(service: Option<String>) -> Self {
        Self { service, before: None, now: None, order: Order::default(), trouble: None }
    }

    pub(super) fn order(&mut self, order: Order) {
        self.order = order;
    }

    /// Shows new statistics, or an error. After an error the last statistics stay.
    pub(super) fn update(&mut self, answer: Result<Snapshot, BrokerError>) {
        match answer {
            Ok(snapshot) => {
                self.before = self.now.replace(snapshot);
                self.trouble = None;
            }
            Err(error) => self.trouble = Some(in_full(&error)),
        }
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>) {
        let areas =
            Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)]);
        let [head, body, foot] = areas.areas(frame.area());
        frame.render_widget(self.head(), head);
        frame.render_widget(self.table(), body);
        let keys = "q quits   order by: n name  c calls  e errors  l latency";
        frame.render_widget(Line::styled(keys, Style::new().add_modifier(Modifier::DIM)), foot);
    }

    fn head(&self) -> Line<'_> {
        if let Some(trouble) = &self.trouble {
            return Line::styled(clean(trouble), Style::new().fg(Color::Red));
        }
        let text = match &self.now {
            None => "asking".to_owned(),
            Some(now) if now.instances.is_empty() => "no server answers".to_owned(),
            Some(now) => match now.instances.len() {
                1 => "1 server".to_owned(),
                servers => format!("{servers} servers"),
            },
        };
        Line::styled(format!("rpc top: {text}"), Style::new().add_modifier(Modifier::BOLD))
    }

    fn table(&self) -> Table<'_> {
        let rows = self.now.as_ref().map_or_else(Vec::new, |now| {
            rows(self.before.as_ref(), now, self.service.as_deref(), self.order)
        });
        let widths = [
            Constraint::Fill(2),
            Constraint::Fill(2),
            Constraint::Length(7),
            Constraint::Length(8),
            Constraint::Length(8),
            Constraint::Length(6),
            Constraint::Length(9),
            Constraint::Length(9),
            Constraint::Length(7),
        ];
        let headings = HEADINGS.iter().enumerate().map(|(index, heading)| cell(index, *heading));
        let headings = TableRow::new(headings.collect::<Vec<_>>())
            .style(Style::new().add_modifier(Modifier::BOLD));
        Table::new(rows.iter().map(row), widths).header(headings)
    }
}

fn row(row: &Row) -> TableRow<'static> {
    let time = |time: Option<u64>| {
        time.map_or("-".to_owned(), |time| duration::show(Duration::from_micros(time)))
    };
    let cells = [
        clean(&row.service),
        clean(&row.method),
        row.servers.to_string(),
        format!("{:.1}", row.calls),
        format!("{:.1}", row.errors),
        row.in_flight.to_string(),
        time(row.p50),
        time(row.p99),
        row.waiting.map_or("?".to_owned(), |waiting| waiting.to_string()),
    ];
    let written = TableRow::new(cells.into_iter().enumerate().map(|(at, text)| cell(at, text)));
    if row.errors > 0.0 { written.style(Style::new().fg(Color::Red)) } else { written }
}

/// A cell; numbers are aligned right.
fn cell<'a>(index: usize, text: impl Into<String>) -> Cell<'a> {
    let line = Line::from(text.into());
    Cell::from(if index < 2 { line } else { line.right_aligned() })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ratatui::{Terminal, backend::TestBackend};
    use rpc_runtime::discovery::InstanceStats;
    use serde_json::json;

    use super::*;

    fn instance(id: &str, fib: u64, panicked: u64, slow: u64) -> InstanceStats {
        let stats = json!({
            "instance": id,
            "services": [{
                "name": "Fibonacci", "queue": "Fibonacci", "depth": 3, "consumers": 2,
                "methods": [
                    {
                        "name": "fib", "calls": fib, "in_flight": 2, "errors": {"panicked": panicked},
                        "latency_us": {"mean": 900, "p50": 850, "p90": 1000, "p99": 4200, "max": 9000},
                    },
                    {"name": "slow", "calls": slow, "in_flight": 0, "errors": {}},
                ],
            }],
        });
        serde_json::from_value(stats).unwrap()
    }

    fn drawn(view: &View) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(84, 6)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let cells = buffer.content().chunks(84);
        cells
            .map(|line| {
                line.iter()
                    .map(ratatui::buffer::Cell::symbol)
                    .collect::<String>()
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    #[test]
    fn rates_count_from_the_last_answer() {
        let mut view = View::new(None);
        assert_eq!(drawn(&view)[0], "rpc top: asking");
        let first = Instant::now();
        let before = vec![instance("a", 100, 0, 0), instance("b", 50, 1, 0)];
        view.update(Ok(Snapshot { at: first, instances: before }));
        // One server is new and has no rate yet; the counters of the others grow.
        let now = vec![instance("a", 120, 0, 6), instance("b", 70, 3, 0), instance("c", 999, 9, 9)];
        view.update(Ok(Snapshot { at: first + Duration::from_secs(2), instances: now }));
        assert_eq!(
            drawn(&view),
            [
                "rpc top: 3 servers",
                "SERVICE     METHOD      SERVERS  CALLS/S ERRORS/S    NOW       P50       P99 WAITING",
                "Fibonacci   fib               3     20.0      1.0      6    850 µs    4.2 ms       3",
                "Fibonacci   slow              3      3.0      0.0      0         -         -       3",
                "",
                "q quits   order by: n name  c calls  e errors  l latency",
            ]
        );
    }

    #[test]
    fn the_largest_numbers_are_drawn() {
        let mut view = View::new(None);
        for after in [0, 1] {
            let at = Instant::now() + Duration::from_secs(after);
            let largest = u64::MAX;
            let mut instances =
                vec![instance("a", 0, largest, 1), instance("b", largest, largest, 1)];
            for stats in &mut instances {
                let method = &mut stats.services[0].methods[0];
                method.in_flight = largest;
                method.errors.insert("error".to_owned(), largest);
            }
            view.update(Ok(Snapshot { at, instances }));
        }
        assert!(drawn(&view)[2].starts_with("Fibonacci   fib"), "{:?}", drawn(&view));
    }

    #[test]
    fn an_error_is_shown_above_the_last_rows() {
        let mut view = View::new(Some("Fibonacci".to_owned()));
        let instances = vec![instance("a", 1, 0, 0)];
        view.update(Ok(Snapshot { at: Instant::now(), instances }));
        view.order(Order::Latency);
        let known = drawn(&view);
        let broker = rpc_runtime::Broker::in_memory();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let error = runtime.block_on(async {
            broker.close().await;
            rpc_runtime::discovery::Discovery::new(&broker).stats().await.unwrap_err()
        });
        view.update(Err(error));
        let after = drawn(&view);
        assert!(after[0].contains("closed by this program"), "{after:?}");
        assert_eq!(after[1..], known[1..]);
    }
}
