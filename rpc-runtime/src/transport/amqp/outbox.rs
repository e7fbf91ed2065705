//! Replies that the broker may refuse, sent where that hurts nothing else.
//!
//! RabbitMQ closes the channel of a message that it refuses, and ends the whole connection for a reply to an address of
//! direct reply-to that it cannot decode. On the channel that consumes requests, either would bring back every request that
//! is not acknowledged, and their methods would run again, without end. So such replies go out on a channel of their own, or
//! on a connection of their own, and are kept until the broker has dealt with them. If it ends the channel instead, they are
//! sent again, one at a time, and only the one that ends it again is given up.
//!
//! A request is acknowledged when the broker has dealt with its reply, or when that was given up.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use smol_str::SmolStr;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};
use tracing::{field, warn};

use super::{
    Dialer,
    channel::Channel,
    error,
    mux::{Ended, Mux, Port, Route},
    proven::Proven,
    throttle::Throttle,
    wire::{Answer, Command, Refusal},
};
use crate::{
    envelope,
    fault::{Fault, FaultKind},
    limits,
    tasks::{self, BoxFuture},
    transport::{Id, Message, Properties},
};

const ACCESS_REFUSED: u16 = 403;

/// How many replies may be on their way before the broker has dealt with the first of them.
const MOST: usize = 1024;

/// How often a reply is sent on a connection that is lost for some other reason.
const LOSSES: u32 = 3;

/// A request that was not acknowledged yet.
pub(super) struct Unsettled {
    pub(super) port: Arc<Port>,
    pub(super) tag: u64,
    /// It is rejected and not acknowledged.
    pub(super) reject: bool,
}

impl Unsettled {
    fn settle(self) {
        // A channel that is gone has given the request back.
        let _ = self.port.send(|out| {
            if self.reject {
                out.refuse(self.tag, false);
            } else {
                out.answered(self.tag);
            }
        });
    }
}

/// A reply, kept until the broker has dealt with it.
pub(super) struct Kept {
    reply: Message,
    request: Option<Unsettled>,
    /// The queue of the request.
    queue: SmolStr,
    /// Counts it if it reaches nobody.
    undeliverable: Arc<AtomicU64>,
    since: Instant,
    /// It is a fault already, in the place of a reply that was too large.
    replaced: bool,
    #[allow(dead_code, reason = "held, not read")]
    room: Option<Room>,
}

impl Kept {
    pub(super) fn new(
        reply: Message,
        request: Unsettled,
        queue: SmolStr,
        undeliverable: Arc<AtomicU64>,
    ) -> Box<Self> {
        Box::new(Self {
            reply,
            request: Some(request),
            queue,
            undeliverable,
            since: Instant::now(),
            replaced: false,
            room: None,
        })
    }

    fn settle(&mut self) {
        if let Some(request) = self.request.take() {
            request.settle();
        }
    }

    fn came_back(&self) {
        self.undeliverable.fetch_add(1, Ordering::Relaxed);
    }
}

enum Item {
    Reply(Box<Kept>),
    /// Whoever waits until everything before it is dealt with.
    Flush(oneshot::Sender<()>),
}

impl Item {
    fn flushed(self) {
        if let Self::Flush(done) = self {
            // Whoever waited may have given up.
            let _ = done.send(());
        }
    }
}

/// What is shared by those who hand replies over and the task that sends them.
#[derive(Default)]
struct Load {
    replies: AtomicUsize,
    bytes: AtomicUsize,
    /// The way is open, and was not lost a moment ago.
    healthy: AtomicBool,
    warned: Throttle,
}

/// A place among the replies that wait, free again when this is dropped.
struct Room {
    load: Arc<Load>,
    bytes: usize,
}

impl Room {
    fn take(load: &Arc<Load>, bytes: usize) -> Option<Self> {
        let room = Self { load: load.clone(), bytes };
        let replies = load.replies.fetch_add(1, Ordering::Relaxed);
        let before = load.bytes.fetch_add(bytes, Ordering::Relaxed);
        // Where there is none, what was added is taken off again here.
        (replies < limits::DIRECT_REPLIES && before + bytes <= limits::MAX_BACKLOG).then_some(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.load.replies.fetch_sub(1, Ordering::Relaxed);
        self.load.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Takes replies over.
pub(super) struct Outbox {
    inbox: mpsc::UnboundedSender<Item>,
    load: Arc<Load>,
    direct: bool,
}

/// The two ways for the replies of a connection that do not go out beside their requests.
pub(super) struct Outboxes {
    /// For replies that the broker may refuse.
    pub(super) careful: Outbox,
    /// For replies to direct reply-to.
    pub(super) direct: Outbox,
    pub(super) proven: Arc<Proven>,
}

impl Outboxes {
    /// Has to be called on a runtime.
    pub(super) fn new(mux: Arc<Mux>, dialer: Arc<Dialer>) -> Self {
        let proven = Arc::new(Proven::new(Instant::now()));
        Self {
            careful: Outbox::start(Way::Channel(mux), proven.clone()),
            direct: Outbox::start(Way::Connection(dialer), proven.clone()),
            proven,
        }
    }

    /// Waits until what was handed over is dealt with.
    pub(super) async fn flush(&self, within: Duration) {
        let both = async { tokio::join!(self.careful.flush(), self.direct.flush()) };
        // What takes longer is left alone; its requests are another server's then.
        let _ = timeout(within, both).await;
    }
}

impl Outbox {
    fn start(way: Way, proven: Arc<Proven>) -> Self {
        let (inbox, coming) = mpsc::unbounded_channel();
        let load = Arc::<Load>::default();
        let direct = matches!(way, Way::Connection(_));
        let sender =
            Sender { way, proven, coming, load: load.clone(), opened: None, pause: Duration::ZERO };
        tasks::spawn(sender.run());
        Self { inbox, load, direct }
    }

    /// Sends a reply and settles its request.
    pub(super) fn send(&self, mut kept: Box<Kept>) {
        if self.direct {
            // The others are as many as there are requests that are not acknowledged.
            kept.room = Room::take(&self.load, kept.reply.body.len());
            if kept.room.is_none() {
                give_up(kept, &self.load.warned, "too many replies to direct reply-to are waiting");
                return;
            }
            if !self.load.healthy.load(Ordering::Relaxed) {
                // Requests are not held up by what others have done to this connection.
                kept.settle();
            }
        }
        // Where nobody takes it, the connection has ended, and the request is somebody else's.
        let _ = self.inbox.send(Item::Reply(kept));
    }

    async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        let _ = self.inbox.send(Item::Flush(done));
        let _ = flushed.await;
    }
}

/// Says that a reply reaches nobody, and settles its request.
fn give_up(mut kept: Box<Kept>, warned: &Throttle, reason: &str) {
    kept.came_back();
    if let Some(left_out) = warned.pass() {
        warn!(
            queue = &*kept.queue,
            reply_to = ?kept.reply.routing_key,
            correlation_id = kept.reply.properties.correlation_id.as_ref().map(field::debug),
            reason = ?reason,
            left_out,
            "a reply could not be sent; its method has run and is not run again"
        );
    }
    kept.settle();
}

/// Where replies go out.
enum Way {
    /// On a channel of this connection.
    Channel(Arc<Mux>),
    /// On a connection of its own.
    Connection(Arc<Dialer>),
}

/// The replies that came back, until their senders are told.
#[derive(Default)]
struct Returned(Mutex<Vec<Option<Id>>>);

impl Route for Returned {
    fn returned(&self, properties: Properties) {
        let mut returned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if returned.len() < MOST {
            returned.push(properties.correlation_id);
        }
    }
}

impl Returned {
    /// Whether this one came back; all that came before it are forgotten.
    fn take(&self, id: Option<&Id>) -> bool {
        let mut returned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = returned.iter().position(|known| known.as_ref() == id);
        if let Some(index) = found {
            returned.drain(..=index);
        }
        found.is_some()
    }
}

/// A connection that is closed when this is dropped.
struct Own(Arc<Mux>);

impl Drop for Own {
    fn drop(&mut self) {
        self.0.say_goodbye();
    }
}

struct Open {
    channel: Channel,
    returned: Arc<Returned>,
    _connection: Option<Own>,
}

impl Open {
    fn publish(&self, kept: &Kept) {
        // A channel that has ended says so at the next fence.
        let _ = self.channel.port().send(|out| out.publish(&kept.reply));
    }

    /// Resolves when the broker has dealt with everything so far. RabbitMQ takes what comes on a channel in order, and to set
    /// the prefetch of a channel without a consumer changes nothing.
    fn fence(&self) -> BoxFuture<'static, Result<Answer, Ended>> {
        Box::pin(self.channel.ask(&Command::Prefetch(0)))
    }
}

/// What is waited for, and how many of the items that were sent it covers.
struct Fence {
    answer: BoxFuture<'static, Result<Answer, Ended>>,
    covers: usize,
}

/// Sends the replies, one after the other.
struct Sender {
    way: Way,
    proven: Arc<Proven>,
    coming: mpsc::UnboundedReceiver<Item>,
    load: Arc<Load>,
    /// When the channel was opened last, and the pause before the next if that one dies young.
    opened: Option<Instant>,
    pause: Duration,
}

enum Event {
    Answered(Result<Answer, Ended>),
    Came(Option<Item>),
    Idle,
}

impl Sender {
    async fn run(mut self) {
        let (mut open, mut fence) = (None::<Open>, None::<Fence>);
        let mut sent = VecDeque::new();
        let mut ended = false;
        while !(ended && sent.is_empty()) {
            let takes_more = !ended && sent.len() < MOST;
            let is_idle = self.is_own() && open.is_some() && fence.is_none();
            let event = tokio::select! {
                biased;
                answer = answered(&mut fence) => Event::Answered(answer),
                item = self.coming.recv(), if takes_more => Event::Came(item),
                () = sleep(limits::DIRECT_IDLE), if is_idle => Event::Idle,
            };
            match event {
                Event::Answered(answer) => {
                    let covers = fence.take().map_or(0, |fence| fence.covers);
                    match (answer, &open) {
                        (Ok(_), Some(open)) => {
                            for item in sent.drain(..covers.min(sent.len())) {
                                self.done(item, open);
                            }
                        }
                        (Ok(_), None) => {}
                        (Err(why), _) => {
                            drop(open.take());
                            open = self.recover(&why, covers, std::mem::take(&mut sent)).await;
                        }
                    }
                }
                Event::Came(None) => ended = true,
                Event::Came(Some(item)) => {
                    let Some(item) = self.examined(item) else { continue };
                    if open.is_none() {
                        // Nothing is on its way.
                        open = self.one_by_one([item].into()).await;
                        continue;
                    }
                    if let (Item::Reply(kept), Some(open)) = (&item, &open) {
                        open.publish(kept);
                    }
                    sent.push_back(item);
                }
                Event::Idle => {
                    self.set_healthy(false);
                    open = None;
                }
            }
            while let Some(Item::Flush(_)) = sent.front() {
                sent.pop_front().into_iter().for_each(Item::flushed);
            }
            if let (None, Some(open), false) = (&fence, &open, sent.is_empty()) {
                fence = Some(Fence { answer: open.fence(), covers: sent.len() });
            }
        }
    }

    fn is_own(&self) -> bool {
        matches!(self.way, Way::Connection(_))
    }

    fn set_healthy(&self, healthy: bool) {
        self.load.healthy.store(healthy, Ordering::Relaxed);
    }

    /// The broker has dealt with this.
    fn done(&self, item: Item, open: &Open) {
        let Item::Reply(mut kept) = item else { return };
        if open.returned.take(kept.reply.properties.correlation_id.as_ref()) {
            kept.came_back();
        }
        if !self.is_own() {
            self.proven.accepted(kept.reply.body.len(), Instant::now());
        }
        #[cfg(feature = "failpoints")]
        crate::failpoint::reach("after-the-reply");
        kept.settle();
    }

    /// What is sent in the place of this; `None` for what is known to be refused.
    fn examined(&self, item: Item) -> Option<Item> {
        let Item::Reply(kept) = item else { return Some(item) };
        let size = kept.reply.body.len();
        if self.proven.is_too_large(size) && !kept.replaced {
            let reason = format!("the broker does not take messages of {size} bytes");
            return Some(Item::Reply(self.in_place_of(kept, &reason)));
        }
        if !self.is_own() && self.proven.is_forbidden(Instant::now()) {
            give_up(kept, &self.load.warned, "the user may not publish replies");
            return None;
        }
        Some(Item::Reply(kept))
    }

    /// The channel, or the connection, has ended with these on their way.
    async fn recover(
        &mut self,
        why: &Ended,
        covers: usize,
        mut sent: VecDeque<Item>,
    ) -> Option<Open> {
        let covered = sent.iter().take(covers);
        let alone = covered.filter(|item| matches!(item, Item::Reply(_))).count() == 1;
        if let (Ended::Refused(refusal) | Ended::Dismissed(refusal), true) = (why, alone)
            && let Some(Item::Reply(kept)) = sent.pop_front()
            && let Some(instead) = self.refused(kept, refusal)
        {
            sent.push_front(Item::Reply(instead));
        }
        self.one_by_one(sent).await
    }

    /// Sends these one at a time, so that only the one that ends the channel is given up.
    async fn one_by_one(&mut self, mut items: VecDeque<Item>) -> Option<Open> {
        let mut open = None;
        if self.is_own() {
            self.set_healthy(false);
            while let Ok(item) = self.coming.try_recv() {
                items.push_back(item);
            }
            for item in &mut items {
                if let Item::Reply(kept) = item {
                    kept.settle();
                }
            }
        }
        for item in items {
            let Some(Item::Reply(kept)) = self.examined(item) else { continue };
            open = self.send_alone(kept, open).await;
        }
        self.set_healthy(open.is_some());
        open
    }

    async fn send_alone(&mut self, mut kept: Box<Kept>, mut open: Option<Open>) -> Option<Open> {
        let mut losses = 0;
        loop {
            let way = match open.take() {
                Some(way) => way,
                None => match self.open().await {
                    Ok(way) => way,
                    Err(reason) => match self.unopened(kept, &reason) {
                        Some(again) => {
                            kept = again;
                            continue;
                        }
                        None => return None,
                    },
                },
            };
            way.publish(&kept);
            match way.fence().await {
                Ok(_) => {
                    self.done(Item::Reply(kept), &way);
                    return Some(way);
                }
                Err(Ended::Refused(refusal) | Ended::Dismissed(refusal)) => {
                    match self.refused(kept, &refusal) {
                        Some(instead) => kept = instead,
                        None => return None,
                    }
                }
                Err(why) => {
                    losses += 1;
                    if losses == LOSSES {
                        give_up(kept, &self.load.warned, &error::ended(why).to_string());
                        return None;
                    }
                }
            }
        }
    }

    /// The broker has refused this one. Returns what is sent in its place.
    fn refused(&self, kept: Box<Kept>, refusal: &Refusal) -> Option<Box<Kept>> {
        if !kept.replaced && is_refused_size(refusal) {
            self.proven.refused_size(kept.reply.body.len(), size_limit(refusal));
            return Some(self.in_place_of(kept, &refusal.text));
        }
        if refusal.code == ACCESS_REFUSED && !self.is_own() {
            self.proven.forbid(Instant::now());
        }
        give_up(kept, &self.load.warned, &refusal.text);
        None
    }

    /// The fault that is sent in the place of a reply that the broker does not take.
    fn in_place_of(&self, mut kept: Box<Kept>, reason: &str) -> Box<Kept> {
        let size = kept.reply.body.len();
        if let Some(left_out) = self.load.warned.pass() {
            warn!(
                queue = &*kept.queue,
                correlation_id = kept.reply.properties.correlation_id.as_ref().map(field::debug),
                size,
                reason = ?reason,
                left_out,
                "a reply is too large for the broker; its caller gets a fault, and the method is not run again"
            );
        }
        let message = format!("the reply is {size} bytes, which is more than the broker takes");
        let fault = Fault::new(FaultKind::TooLarge, message).ran(true);
        kept.reply = envelope::fault_in_place_of(&kept.reply, fault);
        kept.replaced = true;
        kept
    }

    /// There is no way out just now. Returns what is to be tried again.
    fn unopened(&self, mut kept: Box<Kept>, reason: &str) -> Option<Box<Kept>> {
        match &self.way {
            Way::Channel(mux) if mux.ended().borrow().is_some() => None,
            Way::Channel(_) => {
                // There is no other channel to be had.
                if let Some(Unsettled { port, tag, reject }) = kept.request.take() {
                    let _ = port.send(|out| {
                        out.publish(&kept.reply);
                        if reject { out.refuse(tag, false) } else { out.answered(tag) }
                    });
                }
                None
            }
            Way::Connection(_) if kept.since.elapsed() < limits::DIRECT_REPLY_WITHIN => Some(kept),
            Way::Connection(_) => {
                give_up(kept, &self.load.warned, reason);
                None
            }
        }
    }

    /// Opens the channel, after a pause where the one before died young.
    async fn open(&mut self) -> Result<Open, String> {
        if let Some(opened) = self.opened
            && opened.elapsed() < limits::STABLE_AFTER
        {
            self.pause = (self.pause * 2).clamp(limits::FIRST_PAUSE, limits::YOUNG_PAUSE);
            sleep(self.pause).await;
        } else {
            self.pause = Duration::ZERO;
        }
        self.opened = Some(Instant::now());
        let (mux, connection) = match &self.way {
            Way::Channel(mux) => (mux.clone(), None),
            Way::Connection(dialer) => {
                let dial = timeout(limits::CONNECT_ATTEMPT, dialer.dial_for_direct_replies());
                let Ok(dialled) = dial.await else {
                    return Err("no connection for direct reply-to in time".to_owned());
                };
                let mux = dialled.map_err(|error| error.to_string())?;
                (mux.clone(), Some(Own(mux)))
            }
        };
        let opening = |why| error::during("opening a channel for replies", why).to_string();
        let channel = Channel::open(&mux).await.map_err(opening)?;
        let returned = Arc::<Returned>::default();
        channel.route(returned.clone());
        Ok(Open { channel, returned, _connection: connection })
    }
}

async fn answered(fence: &mut Option<Fence>) -> Result<Answer, Ended> {
    match fence {
        Some(fence) => fence.answer.as_mut().await,
        None => pending().await,
    }
}

/// Whether a message was refused for its size.
fn is_refused_size(refusal: &Refusal) -> bool {
    refusal.text.contains("message size ")
}

/// The largest size that is not refused, where RabbitMQ says it.
fn size_limit(refusal: &Refusal) -> Option<usize> {
    let (_, limit) = refusal.text.split_once("max size ")?;
    let digits = limit.find(|c: char| !c.is_ascii_digit()).unwrap_or(limit.len());
    limit.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_for_size_names_the_limit() {
        let refusal = |text: &str| Refusal { code: 406, text: text.into() };
        let text =
            "PRECONDITION_FAILED - message size 100000 is larger than configured max size 65536";
        assert!(is_refused_size(&refusal(text)));
        assert_eq!(size_limit(&refusal(text)), Some(65_536));
        assert_eq!(size_limit(&refusal("message size 9 is too much")), None);
        assert!(!is_refused_size(&refusal("ACCESS_REFUSED - no")));
    }

    #[test]
    fn replies_to_direct_reply_to_are_bounded() {
        let load = Arc::<Load>::default();
        let first = Room::take(&load, limits::MAX_BACKLOG).unwrap();
        assert!(Room::take(&load, 1).is_none());
        drop(first);
        assert_eq!(load.bytes.load(Ordering::Relaxed), 0);
        let most: Vec<_> =
            std::iter::from_fn(|| Room::take(&load, 0)).take(2 * limits::DIRECT_REPLIES).collect();
        assert_eq!(most.len(), limits::DIRECT_REPLIES);
    }

    #[test]
    fn what_came_back_is_found_by_its_id() {
        let returned = Returned::default();
        for id in ["a", "b"] {
            let correlation_id = Some(Id::from(id));
            returned.returned(Properties { correlation_id, ..Properties::default() });
        }
        assert!(!returned.take(None));
        assert!(returned.take(Some(&Id::from("b"))));
        assert!(!returned.take(Some(&Id::from("a"))), "those before it are older");
    }
}
