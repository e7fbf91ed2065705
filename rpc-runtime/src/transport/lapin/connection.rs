//! One connection of lapin: whether it is alive, and whether the broker accepts messages.

use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use lapin::Event;
use rpc_amqp::{Error, SendWindow};
use smol_str::SmolStr;
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    time::{sleep_until, timeout},
};
use tracing::warn;

use super::{
    channel::{ANSWER_WITHIN, LapinChannel, unanswered},
    error,
    stall::Stalls,
};
use crate::{
    lock::lock,
    tasks::{self, BoxFuture},
    transport::{
        Blocked,
        amqp::{driver::DriverConnection, own::warn_of_stall},
    },
};

/// The interval of checks. Another listener may receive the connection's events, and lapin does not report every end.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The time limit for closing a connection.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// A handle of a live connection. Dropping the last one closes the connection.
#[derive(Clone)]
pub(crate) struct LapinConnection(Arc<Owner>);

struct Owner {
    lapin: Arc<lapin::Connection>,
    user: SmolStr,
    window: Arc<SendWindow>,
    blocked: watch::Sender<Blocked>,
    news: News,
    close: Arc<Notify>,
    /// The runtime of its tasks.
    runtime: Handle,
}

/// Reports the state of a connection to the tasks of its channels.
#[derive(Clone)]
pub(super) struct News {
    ended: watch::Sender<Option<Error>>,
    /// Changes when a channel may have ended.
    look: watch::Sender<()>,
    /// The last refusal that closed a channel.
    refusal: Arc<Mutex<Option<Error>>>,
}

impl News {
    fn new() -> Self {
        let (ended, look) = (watch::Sender::new(None), watch::Sender::new(()));
        Self { ended, look, refusal: Arc::default() }
    }

    /// Why the connection has ended, if it has.
    pub(super) fn ended(&self) -> Option<Error> {
        self.ended.borrow().clone()
    }

    /// Resolves with the reason when the connection has ended.
    pub(super) fn when_ended(&self) -> impl Future<Output = Error> + Send + use<> {
        let mut ended = self.ended.subscribe();
        async move {
            match ended.wait_for(Option::is_some).await {
                Ok(why) => why.clone().unwrap_or(Error::Closed),
                Err(_) => Error::Closed,
            }
        }
    }

    /// Changes when channels should check their state.
    pub(super) fn looks(&self) -> watch::Receiver<()> {
        self.look.subscribe()
    }

    /// The last refusal that closed a channel of the connection.
    pub(super) fn refusal(&self) -> Option<Error> {
        lock(&self.refusal).clone()
    }

    fn note_refusal(&self, error: &lapin::Error) {
        if error::names_the_cause(error) {
            let mut refusal = lock(&self.refusal);
            *refusal = Some(error::ended(error));
        }
    }

    /// Only the first reason counts.
    fn end(&self, why: Error) {
        self.ended.send_if_modified(|known| {
            let first = known.is_none();
            known.get_or_insert(why);
            first
        });
    }
}

impl LapinConnection {
    /// Watches a connection, on the current runtime.
    pub(super) fn start(lapin: lapin::Connection) -> Self {
        let (lapin, news) = (Arc::new(lapin), News::new());
        let (blocked, close) = (watch::Sender::new(Blocked::default()), Arc::<Notify>::default());
        let watch = Watch {
            lapin: lapin.clone(),
            news: news.clone(),
            blocked: blocked.clone(),
            close: close.clone(),
        };
        tasks::spawn(watch.run());
        let (user, window) = (lapin.status().username().into(), SendWindow::new(blocked.clone()));
        let runtime = Handle::current();
        Self(Arc::new(Owner { lapin, user, window, blocked, news, close, runtime }))
    }

    /// The most channels that the connection may have.
    pub(super) fn most_channels(&self) -> u16 {
        self.0.lapin.configuration().channel_max()
    }
}

impl DriverConnection for LapinConnection {
    type Channel = LapinChannel;

    async fn open_channel(&self) -> Result<LapinChannel, Error> {
        let Owner { lapin, news, blocked, runtime, .. } = &*self.0;
        match timeout(ANSWER_WITHIN, lapin.create_channel()).await {
            Ok(Ok(channel)) => {
                Ok(LapinChannel::start(channel, news.clone(), blocked.subscribe(), runtime))
            }
            Ok(Err(why)) if matches!(why.kind(), lapin::ErrorKind::ChannelsLimitReached) => {
                Err(Error::NoChannel(self.most_channels()))
            }
            Ok(Err(why)) => Err(news.ended().unwrap_or_else(|| error::ended(&why))),
            Err(_) => Err(unanswered(&blocked.borrow())),
        }
    }

    fn channel_max(&self) -> u16 {
        self.most_channels()
    }

    fn user(&self) -> &SmolStr {
        &self.0.user
    }

    fn blocked(&self) -> watch::Receiver<Blocked> {
        self.0.blocked.subscribe()
    }

    fn send_window(&self) -> &Arc<SendWindow> {
        &self.0.window
    }

    fn is_closed(&self) -> bool {
        self.0.news.ended.borrow().is_some()
    }

    fn closed(&self) -> BoxFuture<'static, Error> {
        Box::pin(self.0.news.when_ended())
    }

    fn close(&self) {
        self.0.close.notify_one();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.close.notify_one();
    }
}

/// The task that watches a connection.
struct Watch {
    lapin: Arc<lapin::Connection>,
    news: News,
    blocked: watch::Sender<Blocked>,
    close: Arc<Notify>,
}

enum Happened {
    Event(Option<Event>),
    Look,
    Close,
}

impl Watch {
    async fn run(self) {
        let mut events = Box::pin(self.lapin.events_listener());
        let mut stalls = Stalls::new(self.lapin.configuration().heartbeat());
        let why = loop {
            let due = Instant::now() + LOOK_EVERY;
            let happened = tokio::select! {
                event = events.next() => Happened::Event(event),
                () = sleep_until(due.into()) => Happened::Look,
                () = self.close.notified() => Happened::Close,
            };
            if let Some(stall) = stalls.note(due, Instant::now()) {
                warn_of_stall(stall, stalls.heartbeat());
            }
            let why = match happened {
                Happened::Event(Some(event)) => self.heard(event),
                Happened::Event(None) => Some(gone("lapin gave it up")),
                Happened::Look => self.looked(),
                Happened::Close => {
                    // lapin sends no heartbeats while it closes. If the broker does not reply, its thread and the socket stay
                    // until TCP gives up.
                    let _ = timeout(CLOSE_WITHIN, self.lapin.close(200, "goodbye".into())).await;
                    Some(Error::Closed)
                }
            };
            if let Some(why) = why {
                break why;
            }
            self.news.look.send_replace(());
        };
        self.news.end(stalls.explain(why, Instant::now()));
    }

    /// Returns why the connection has ended, if it has.
    fn heard(&self, event: Event) -> Option<Error> {
        match event {
            // Channels that end are reported, too.
            Event::Error(error) if self.lapin.status().connected() => {
                self.news.note_refusal(&error);
            }
            Event::Error(error) => return Some(error::ended(&error)),
            Event::ConnectionBlocked(reason) => self.set_alarm(Some(reason.into())),
            Event::ConnectionUnblocked => self.set_alarm(None),
            _ => {}
        }
        None
    }

    /// The same check without an event.
    fn looked(&self) -> Option<Error> {
        let status = self.lapin.status();
        if status.reconnecting() {
            warn!(
                "a connection of lapin's connects again by itself, and is given up: make connections without \
                 `enable_auto_recover`"
            );
        }
        if !status.connected() {
            return Some(gone("lapin lost it"));
        }
        if status.blocked() != self.blocked.borrow().alarm.is_some() {
            let reason = "RabbitMQ has blocked the connection";
            self.set_alarm(status.blocked().then(|| reason.into()));
        }
        None
    }

    fn set_alarm(&self, alarm: Option<Arc<str>>) {
        self.blocked.send_modify(|blocked| blocked.alarm = alarm);
    }
}

impl Drop for Watch {
    /// The task may be dropped because its runtime ended.
    fn drop(&mut self) {
        self.news.end(gone("its runtime has ended"));
    }
}

fn gone(why: &str) -> Error {
    error::lost(io::ErrorKind::NotConnected, why)
}
