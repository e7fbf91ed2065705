//! `rpc top`: the statistics of servers, live.

mod rows;
mod view;

use std::{
    io::IsTerminal as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use rpc_runtime::{BrokerError, discovery::Discovery};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use self::{
    rows::{Order, Snapshot},
    view::View,
};
use super::{connect, discovery};
use crate::{
    cli::{Global, TopArgs},
    failure::{Failure, Kind},
};

/// How often the thread that reads keys checks whether to end.
const KEY_WITHIN: Duration = Duration::from_millis(100);

pub(super) async fn run(global: &Global, arguments: &TopArgs) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() {
        let failure = Failure::new(Kind::Usage, "`rpc top` needs a terminal to draw on");
        return Err(failure.remedy("elsewhere, use `rpc stats --watch --output json`"));
    }
    let broker = connect(global).await?;
    let asking = discovery(&broker, global, arguments.service.as_deref());
    let undrawable = |error: std::io::Error| {
        Failure::new(Kind::Error, format!("the terminal cannot be drawn on: {error}"))
    };
    let mut terminal = ratatui::try_init().map_err(undrawable)?;
    let keys = Keys::read();
    let ended = async {
        let mut keys = keys;
        let mut view = View::new(arguments.service.clone());
        let mut answers = ask(asking, arguments.interval);
        loop {
            terminal.draw(|frame| view.draw(frame)).map_err(undrawable)?;
            tokio::select! {
                key = keys.pressed.recv() => match key {
                    Some(KeyCode::Char('q') | KeyCode::Esc) | None => return Ok(()),
                    Some(KeyCode::Char('n')) => view.order(Order::Name),
                    Some(KeyCode::Char('c')) => view.order(Order::Calls),
                    Some(KeyCode::Char('e')) => view.order(Order::Errors),
                    Some(KeyCode::Char('l')) => view.order(Order::Latency),
                    Some(_) => {}
                },
                Some(answer) = answers.recv() => view.update(answer),
            }
        }
    };
    let ended = ended.await;
    ratatui::restore();
    ended
}

/// Asks the servers in a task of its own, so that keys never wait for an answer.
fn ask(asking: Discovery, every: Duration) -> mpsc::Receiver<Result<Snapshot, BrokerError>> {
    let (sender, answers) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let stats = asking.stats().await;
            let answer = stats.map(|instances| Snapshot { at: Instant::now(), instances });
            if sender.send(answer).await.is_err() {
                return;
            }
        }
    });
    answers
}

/// The keys that are pressed. A thread reads them, because reading blocks.
struct Keys {
    pressed: mpsc::Receiver<KeyCode>,
    over: Arc<AtomicBool>,
}

impl Keys {
    fn read() -> Self {
        let (sender, pressed) = mpsc::channel(16);
        let over = Arc::new(AtomicBool::new(false));
        let ended = over.clone();
        thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                match event::poll(KEY_WITHIN) {
                    Ok(false) => continue,
                    Ok(true) => {}
                    Err(_) => return,
                }
                let Ok(Event::Key(key)) = event::read() else { continue };
                let interrupt =
                    key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
                let code = if interrupt { KeyCode::Esc } else { key.code };
                if key.kind == KeyEventKind::Press && sender.blocking_send(code).is_err() {
                    return;
                }
            }
        });
        Self { pressed, over }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
