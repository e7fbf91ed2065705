//! A peer that sends random properties, headers and bodies to running servers and callers.
//!
//! `RPC_FUZZ_SECONDS` sets the duration, `RPC_FUZZ_SEED` repeats the messages of an earlier run.

mod bodies;
mod messages;
mod values;

#[path = "../../programs/marks.rs"]
mod marks;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::time::Duration;

use rpc_runtime::Broker;
use rpc_tests::{
    Event, Node, Process, Property, Random, RawMessage, RawPeer, eventually_async, long, short,
    unique,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use self::marks::{ControlClient, MarksClient, Names, Report};
use self::messages::{Asked, Known, Sent, Way, remember};

/// Number of messages without `RPC_FUZZ_SECONDS`.
const MESSAGES: usize = 600;
const SEED: u64 = 16;
/// After so many messages all servers and callers are checked.
const BATCH: usize = 60;
const BURST: usize = 16;
/// How long a plain call may take under the peer's load, and a queue until it is empty.
const PATIENCE: Duration = Duration::from_secs(20);
/// RabbitMQ's limit, below that of the servers, so that RabbitMQ refuses some of their replies.
const LARGEST_MESSAGE: usize = 8 << 20;
/// The smallest frame size of RabbitMQ, used with every other seed.
const SMALL_FRAMES: usize = 8_192;
/// Typical size of the other properties. It lets some headers just fit a frame, and others not.
const OTHER_PROPERTIES: usize = 200;
/// Bound on memory, in KiB, that follows from the limits on requests in flight.
const MOST_MEMORY: u64 = 700 * 1024;

/// Rows 29, 31 and 33.
#[tokio::test]
async fn random_messages_harm_no_server_or_caller() {
    let seconds = number("RPC_FUZZ_SECONDS");
    let seed = number("RPC_FUZZ_SEED").unwrap_or(SEED);
    println!("random peer: seed {seed}");
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));

    let mut peer = RandomPeer::start(seed).await;
    loop {
        peer.batch().await;
        if until.map_or(peer.figures.messages >= MESSAGES, |until| Instant::now() >= until) {
            break;
        }
    }
    let (report, figures) = peer.end().await;
    println!("random peer: {figures:?}\nrandom peer: {report:?}");
    assert!(report.runs > 0 && report.steady > 0, "{report:?}");
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}

/// Counts of the peer's actions.
#[derive(Debug, Default)]
struct Figures {
    messages: usize,
    confirmed: usize,
    channels_closed: HashMap<String, u32>,
    connections_closed: HashMap<String, u32>,
    replies: u64,
    probes: u32,
}

struct RandomPeer {
    seed: u64,
    random: Random,
    known: Known,
    figures: Figures,
    /// How often requests may run that reach two queues.
    copies: HashMap<u64, u32>,
    sender: RawPeer,
    received: UnboundedReceiver<RawMessage>,
    listening: tokio::task::JoinHandle<io::Error>,
    target: Process,
    probes: Vec<MarksClient>,
    control: ControlClient,
    broker: Broker,
    /// The messages since the last check.
    last: Vec<String>,
    node: Node,
}

impl RandomPeer {
    async fn start(seed: u64) -> Self {
        // A node of its own, because its discovery requests reach every server of a broker.
        let mut node = Node::builder().config(format!("max_message_size = {LARGEST_MESSAGE}"));
        if seed.is_multiple_of(2) {
            node = node.config(format!("frame_max = {SMALL_FRAMES}"));
        }
        let node = node.start().await;
        // Unread messages stay in it, and an alarm would delay all calls.
        node.ctl(&["set_vm_memory_high_watermark", "absolute", "8GB"]).await;
        let (url, prefix) = (node.url(), unique("peer"));
        let names = Names::new(&prefix);
        let mut listener = RawPeer::connect(node.port()).await.unwrap();
        let (ways, reply_queues) = declare(&mut listener, &names).await.unwrap();

        let target = Process::example("peer_target", &[&url, &prefix]).await;
        target.line_with("serving", Duration::from_secs(60)).await;
        let questions = listener.declare("", b"").await.unwrap();
        listener.bind(&questions, "rpc.discovery", "#").await.unwrap();
        listener.consume(&questions).await.unwrap();
        let mut question_detours = Vec::new();
        for question in ["ping", "info", "stats"] {
            let moved = moved_to("rpc.discovery", question, "x-message-ttl");
            question_detours.push(listener.declare("", &moved).await.unwrap());
        }
        let (sends, received) = unbounded_channel();
        let listening = tokio::spawn(async move {
            loop {
                match listener.event().await {
                    Ok(Event::Message(message)) => drop(sends.send(message)),
                    Ok(_) => {}
                    Err(error) => return error,
                }
            }
        });

        let broker = Broker::connect(&url).await.unwrap();
        let through = Broker::builder(&url).exchange(&names.exchange).connect().await.unwrap();
        let probes =
            [(&broker, &names.classic), (&broker, &names.quorum), (&through, &names.routed)];
        let probes = probes.map(|(broker, queue)| {
            MarksClient::builder(broker).queue(queue).timeout(PATIENCE).build()
        });
        let control =
            ControlClient::builder(&broker).queue(&names.control).timeout(PATIENCE).build();
        let sender = RawPeer::connect(node.port()).await.unwrap();
        let known = Known {
            names,
            ways,
            reply_queues,
            calls: VecDeque::new(),
            questions: VecDeque::new(),
            descriptions: VecDeque::new(),
            detours: HashMap::new(),
            question_detours,
            largest: sender.room() - OTHER_PROPERTIES,
            last_id: 0,
        };
        Self {
            seed,
            random: Random::new(seed),
            known,
            figures: Figures::default(),
            copies: HashMap::new(),
            sender,
            received,
            listening,
            target,
            probes: probes.into(),
            control,
            broker,
            last: Vec::new(),
            node,
        }
    }

    async fn batch(&mut self) {
        self.last.clear();
        let end = self.figures.messages + BATCH;
        while self.figures.messages < end {
            self.read_queues();
            self.make_detours().await;
            let burst = 1 + self.random.below(BURST);
            if let Err(error) = self.burst(burst).await {
                let kind = error.to_string().chars().take(60).collect();
                *self.figures.connections_closed.entry(kind).or_default() += 1;
                self.sender = RawPeer::connect(self.node.port()).await.unwrap();
                // They ended with the connection.
                self.known.detours.clear();
            }
        }
        self.probe().await;
    }

    /// Sends some messages, and waits for RabbitMQ's confirmations.
    async fn burst(&mut self, count: usize) -> io::Result<()> {
        let mut waiting = Vec::new();
        for _ in 0..count {
            let Sent { message, id, copies } = self.known.message(&mut self.random);
            if copies > 1 {
                self.copies.insert(id, copies);
            }
            self.figures.messages += 1;
            self.last.push(described(id, &message));
            waiting.push(self.sender.publish(&message).await?);
        }
        while !waiting.is_empty() {
            match self.sender.event().await? {
                Event::Confirmed { tag, multiple } => {
                    let before = waiting.len();
                    waiting.retain(|waits| *waits != tag && (!multiple || *waits > tag));
                    self.figures.confirmed += before - waiting.len();
                }
                Event::Message(_) => {}
                Event::ChannelClosed(code, text) => {
                    let reason = text.split('\'').next().unwrap_or_default();
                    let kind = format!("{code} {reason}").chars().take(60).collect();
                    *self.figures.channels_closed.entry(kind).or_default() += 1;
                    return self.sender.open().await;
                }
            }
        }
        Ok(())
    }

    /// Declares a queue for each callback queue. RabbitMQ moves its messages there.
    async fn make_detours(&mut self) {
        let callbacks = self.known.calls.iter().map(|call| call.reply_to.clone());
        let unknown = callbacks
            .filter(|name| !self.known.detours.contains_key(name) && name.starts_with(b"amq.gen-"));
        for callback in unknown.collect::<BTreeSet<_>>() {
            let moved = moved_to("", &String::from_utf8_lossy(&callback), "x-message-ttl");
            if let Ok(queue) = self.sender.declare("", &moved).await {
                self.known.detours.insert(callback, queue);
            }
        }
    }

    /// Reads the messages of the peer's own queues.
    fn read_queues(&mut self) {
        while let Ok(message) = self.received.try_recv() {
            let get = |property| message.properties.get(property).unwrap_or_default().to_vec();
            let asked = Asked {
                reply_to: get(Property::ReplyTo),
                correlation_id: get(Property::CorrelationId),
                method: get(Property::Type),
                json: get(Property::ContentType) == b"application/json",
            };
            if message.routing_key == self.known.names.decoy.as_bytes() {
                remember(&mut self.known.calls, asked);
            } else if message.exchange == b"rpc.discovery" {
                if !self.known.reply_queues.iter().any(|name| asked.reply_to == name.as_bytes()) {
                    remember(&mut self.known.questions, asked);
                }
            } else {
                self.figures.replies += 1;
                if message.body.starts_with(b"{\"") {
                    remember(&mut self.known.descriptions, message.body);
                }
            }
        }
    }

    /// Checks that plain calls succeed, and that nothing has failed.
    async fn probe(&mut self) {
        for (position, probe) in self.probes.iter().enumerate() {
            let ended = probe.add(self.figures.probes, 1).await;
            if ended.as_ref().ok() != Some(&(self.figures.probes + 1)) {
                self.fail(&format!("plain call {position} ends with {ended:?}"));
            }
        }
        self.figures.probes += 1;
        match self.control.report().await {
            Ok(report) => self.check(&report),
            Err(error) => self.fail(&format!("no report: {error:?}")),
        }
        if self.listening.is_finished() {
            self.fail("the connection of the peer that listens was closed");
        }
    }

    fn check(&self, report: &Report) {
        let mut faults = Vec::new();
        for (name, times) in report.lost.iter().filter(|(_, times)| **times > 0) {
            faults.push(format!("the {name} lost its connection {times} times"));
        }
        for (id, runs) in &report.ran_again {
            if *runs > self.copies.get(id).copied().unwrap_or(1) {
                faults.push(format!("request {id} ran {runs} times"));
            }
        }
        if !report.unsteady.is_empty() {
            faults.push(format!("calls of no concern to the peer failed: {:?}", report.unsteady));
        }
        if !report.late.is_empty() {
            faults.push(format!("these ended late or not: {:?}", report.late));
        }
        if let Some((text, times)) =
            report.warnings.iter().find(|(text, _)| text.contains("stopped consuming"))
        {
            faults.push(format!("{times} times: {text}"));
        }
        if report.peak > MOST_MEMORY {
            faults.push(format!("{} KiB of memory", report.peak));
        }
        if !faults.is_empty() {
            self.fail(&faults.join("\n"));
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!(
            "seed {}: {what}\n== {:?}\n== since the last check\n{}\n== the program\n{}",
            self.seed,
            self.figures,
            self.last.join("\n"),
            self.target.lines().join("\n"),
        );
    }

    async fn end(mut self) -> (Report, Figures) {
        let queues =
            [&self.known.names.classic, &self.known.names.quorum, &self.known.names.routed];
        for queue in queues {
            self.is_empty(queue).await;
        }
        let report = match self.control.end().await {
            Ok(report) => report,
            Err(error) => self.fail(&format!("no last report: {error:?}")),
        };
        self.check(&report);
        self.target.line_with("servers ended", PATIENCE * 2).await;
        // Unacknowledged messages are back in their queues now.
        for queue in queues {
            self.is_empty(queue).await;
        }
        self.read_queues();
        (report, self.figures)
    }

    async fn is_empty(&self, queue: &str) {
        eventually_async(&format!("{queue} is empty"), PATIENCE, async || {
            let state = self.broker.queue_state(queue).await.unwrap().expect("it is there");
            (state.messages == 0).then_some(())
        })
        .await;
    }
}

/// Declares the peer's queues: the decoy, one for replies, and some whose messages RabbitMQ moves. Returns the ways
/// to the services, and the queues for replies.
async fn declare(peer: &mut RawPeer, names: &Names) -> io::Result<(Vec<Way>, Vec<String>)> {
    let mut ways = Vec::new();
    for queue in [&names.classic, &names.quorum] {
        ways.push((String::new(), queue.clone(), None));
    }
    // Twice, so that most requests use these.
    for method in ["mark", "once", "tree", "mark", "once"] {
        let key = format!("{}.{method}", names.routed);
        ways.push((names.exchange.clone(), key, Some(method)));
    }
    ways.push((String::new(), names.routed.clone(), None));
    ways.push((names.exchange.clone(), format!("{}.x", names.routed), None));
    let mut reply_queues = Vec::new();
    for (exchange, key, method) in ways.clone() {
        for limit in ["x-message-ttl", "x-max-length"] {
            let own = peer.declare("", &moved_to(&exchange, &key, limit)).await?;
            ways.push((String::new(), own, method));
        }
    }
    // Accepts nothing.
    let full = [
        [short(b"x-max-length"), number_value(0)].concat(),
        [short(b"x-overflow"), text("reject-publish")].concat(),
    ];
    reply_queues.push(peer.declare("", &full.concat()).await?);
    let replies = peer.declare("", b"").await?;
    peer.consume(&replies).await?;
    // Most replies go to queues that are read.
    reply_queues.extend([replies.clone(), replies.clone(), replies]);
    peer.declare(&names.decoy, b"").await?;
    peer.consume(&names.decoy).await?;
    let ways = ways.into_iter().map(|(exchange, key, method)| Way { exchange, key, method });
    Ok((ways.collect(), reply_queues))
}

/// Arguments of a queue whose messages RabbitMQ moves at once, as expired or over the limit.
fn moved_to(exchange: &str, key: &str, limit: &str) -> Vec<u8> {
    [
        [short(b"x-dead-letter-exchange"), text(exchange)].concat(),
        [short(b"x-dead-letter-routing-key"), text(key)].concat(),
        [short(limit.as_bytes()), number_value(0)].concat(),
    ]
    .concat()
}

fn text(text: &str) -> Vec<u8> {
    [&b"S"[..], &long(text.as_bytes())].concat()
}

fn number_value(number: u32) -> Vec<u8> {
    [&b"I"[..], &number.to_be_bytes()].concat()
}

/// A message as one line.
fn described(id: u64, message: &RawMessage) -> String {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let get = |property| message.properties.get(property).map(text);
    format!(
        "{id}: to {:?} {:?}, type {:?}, content_type {:?}, reply_to {:?}, correlation_id {:?}, expiration {:?}, \
         {} bytes: {}, headers {} bytes",
        text(&message.exchange),
        text(&message.routing_key),
        get(Property::Type),
        get(Property::ContentType),
        get(Property::ReplyTo),
        get(Property::CorrelationId),
        get(Property::Expiration),
        message.body.len(),
        text(&message.body[..message.body.len().min(48)]),
        message.properties.size(Property::Headers),
    )
}
