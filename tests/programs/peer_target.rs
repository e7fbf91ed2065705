//! Servers and callers for a random peer: `peer_target URL PREFIX`. A call to its control service ends it.

#![allow(clippy::expect_used, clippy::panic, reason = "a program under test prints why it ends")]

use std::collections::HashMap;
use std::env;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rpc_runtime::discovery::Discovery;
use rpc_runtime::{Broker, BrokerStatus, CallError, Queue, Server};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

mod marks;
use marks::{
    CompactDecoyClient, Control, ControlServer, DecoyClient, Failure, Marks, MarksClient,
    MarksServer, Names, Report, Tree, Wide, check,
};

/// Number of parallel calls to the random peer.
const LANES: usize = 12;
const DEADLINE: Duration = Duration::from_secs(1);
const QUESTION: Duration = Duration::from_millis(500);
/// How late after its deadline a call or discovery may end, on a busy machine.
const LATE: Duration = Duration::from_secs(3);
/// How many lines of one text are printed.
const PRINTED: u64 = 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, prefix] = arguments.as_slice() else {
        return Err("peer_target URL PREFIX".into());
    };
    let book = Book::default();
    tracing_subscriber::registry().with(Warnings(book.clone())).init();
    std::panic::set_hook(Box::new(|_| {}));
    let names = Names::new(prefix);

    let serving = book.broker("server", Broker::builder(url)).await?;
    let routed = Broker::builder(url).exchange(&names.exchange);
    let routed = book.broker("server behind an exchange", routed).await?;
    let calling = book.broker("caller", Broker::builder(url)).await?;
    let direct = Broker::builder(url).direct_reply_to(true);
    let direct = book.broker("caller by direct reply-to", direct).await?;
    let asking = book.broker("asker", Broker::builder(url)).await?;

    let mut servers = Vec::new();
    // The first server replies to any queue, the others only to queues named by RabbitMQ.
    for (broker, queue, accepted) in [
        (&serving, Queue::named(&names.classic).classic(), ""),
        (&serving, Queue::named(&names.quorum).quorum(), "amq.gen-"),
        (&routed, Queue::named(&names.routed).classic(), "amq.gen-"),
    ] {
        let marks = MarksServer::new(book.clone());
        let server = Server::builder(broker).service_on(queue, marks).accept_reply_to(accepted);
        servers.push(server.start().await?);
    }

    for (broker, queue) in
        [(&calling, &names.classic), (&direct, &names.quorum), (&routed, &names.routed)]
    {
        let client = MarksClient::builder(broker).queue(queue).build();
        tokio::spawn(book.clone().call_steadily(client));
    }
    for lane in 0..LANES {
        let broker = if lane % 3 == 0 { &direct } else { &calling };
        let json = DecoyClient::builder(broker).queue(&names.decoy).timeout(DEADLINE).build();
        let compact =
            CompactDecoyClient::builder(broker).queue(&names.decoy).timeout(DEADLINE).build();
        tokio::spawn(book.clone().call_the_peer(lane, json, compact));
    }
    tokio::spawn(book.clone().ask(asking.clone()));

    let control = Broker::connect(url).await?;
    let service = InControl { book, callers: vec![calling, direct], ending: Arc::default() };
    let ending = service.ending.clone();
    let control = Server::builder(&control)
        .service_on(Queue::named(&names.control), ControlServer::new(service))
        .discovery(false)
        .start()
        .await?;
    println!("serving");
    ending.notified().await;
    for server in servers {
        server.shutdown().await?;
    }
    println!("servers ended");
    control.shutdown().await?;
    Ok(())
}

/// All records.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    report: Report,
    runs: HashMap<u64, u32>,
}

impl Book {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects, and counts how often the connection is lost.
    async fn broker(
        &self,
        name: &'static str,
        builder: rpc_runtime::BrokerBuilder,
    ) -> Result<Broker, rpc_runtime::BrokerError> {
        let broker = builder.connect().await?;
        let (book, mut changes) = (self.clone(), broker.status_changes());
        book.notes().report.lost.insert(name.to_owned(), 0);
        tokio::spawn(async move {
            while let Some(status) = changes.next().await {
                if matches!(status, BrokerStatus::Connecting | BrokerStatus::Refused(_)) {
                    *book.notes().report.lost.entry(name.to_owned()).or_default() += 1;
                }
            }
        });
        Ok(broker)
    }

    fn ran(&self, id: u64, given: u64) -> u64 {
        if given == check(id) {
            let mut notes = self.notes();
            notes.report.runs += 1;
            let runs = notes.runs.entry(id).or_default();
            *runs += 1;
            if *runs > 1 {
                let runs = *runs;
                notes.report.ran_again.insert(id, runs);
            }
        }
        id
    }

    /// Makes calls with known results all the time.
    async fn call_steadily(self, client: MarksClient) {
        for count in 0.. {
            let ended = client.add(count, 1).await;
            self.note_steady(count, &ended);
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn note_steady(&self, count: u32, ended: &Result<u32, CallError>) {
        let report = &mut self.notes().report;
        if matches!(ended, Ok(sum) if *sum == count + 1) {
            report.steady += 1;
        } else if report.unsteady.len() < 100 {
            report.unsteady.push(format!("{count} + 1: {ended:?}"));
        }
    }

    async fn call_the_peer(self, lane: usize, json: DecoyClient, compact: CompactDecoyClient) {
        for count in lane.. {
            let (what, ended) = match count % 8 {
                0 => ("JSON tree", self.within(json.tree()).await),
                1 => ("JSON list", self.within(json.list()).await),
                2 => ("JSON text", self.within(json.text()).await),
                3 => ("JSON nothing", self.within(json.nothing()).await),
                4 => ("bincode tree", self.within(compact.tree()).await),
                5 => ("bincode list", self.within(compact.list()).await),
                6 => ("bincode text", self.within(compact.text()).await),
                _ => ("bincode nothing", self.within(compact.nothing()).await),
            };
            let mut notes = self.notes();
            if ended == "late" && notes.report.late.len() < 100 {
                notes.report.late.push(what.to_owned());
            }
            *notes.report.decoys.entry(ended.to_owned()).or_default() += 1;
        }
    }

    async fn within<T, E>(
        &self,
        call: impl IntoFuture<Output = Result<T, CallError<E>>>,
    ) -> &'static str {
        match timeout(DEADLINE + LATE, call.into_future()).await {
            Err(_) => "late",
            Ok(Ok(_)) => "answered",
            Ok(Err(CallError::Refused(_))) => "refused",
            Ok(Err(CallError::DeadlineExceeded { .. })) => "deadline",
            Ok(Err(CallError::ConnectionLost { .. })) => "connection lost",
            Ok(Err(_)) => "another failure",
        }
    }

    /// Sends discovery requests to all servers, including the random peer.
    async fn ask(self, broker: Broker) {
        for count in 0u64.. {
            let discovery = Discovery::new(&broker).timeout(QUESTION);
            let asked = Instant::now();
            let ended = timeout(QUESTION + LATE, async {
                match count % 3 {
                    0 => discovery.ping().await.map(|answers| answers.len()),
                    1 => discovery.info().await.map(|answers| answers.len()),
                    _ => discovery.stats().await.map(|answers| answers.len()),
                }
            });
            let ended = match ended.await {
                Err(_) => "late".to_owned(),
                Ok(Ok(_)) => "answered".to_owned(),
                Ok(Err(error)) => format!("{:?}", error.kind()),
            };
            let mut notes = self.notes();
            if ended == "late" && notes.report.late.len() < 100 {
                notes.report.late.push(format!("question {}: {:?}", count % 3, asked.elapsed()));
            }
            *notes.report.questions.entry(ended).or_default() += 1;
        }
    }
}

impl Marks for Book {
    async fn mark(&self, id: u64, check: u64) -> u64 {
        self.ran(id, check)
    }

    async fn once(&self, id: u64, check: u64) -> u64 {
        self.ran(id, check)
    }

    async fn note(&self, id: u64, check: u64) {
        self.ran(id, check);
    }

    async fn fail(&self, id: u64, check: u64) -> Result<u64, Failure> {
        self.ran(id, check);
        Err(Failure::Detailed { text: "\u{1b}[2J".to_owned(), causes: vec![Failure::Plain] })
    }

    async fn explode(&self, id: u64, check: u64) -> u64 {
        self.ran(id, check);
        panic!("as it was asked to")
    }

    async fn swell(&self, id: u64, check: u64, size: u32) -> String {
        self.ran(id, check);
        // A little over the limit of a reply.
        "x".repeat(usize::try_from(size % (17 << 20)).unwrap_or_default())
    }

    async fn tree(&self, id: u64, check: u64, tree: Tree) -> Tree {
        self.ran(id, check);
        tree
    }

    async fn wide(&self, id: u64, check: u64, list: Vec<Option<Wide>>) -> u64 {
        self.ran(id, check);
        u64::try_from(list.len()).unwrap_or_default()
    }

    async fn add(&self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }
}

struct InControl {
    book: Book,
    callers: Vec<Broker>,
    ending: Arc<Notify>,
}

impl Control for InControl {
    async fn report(&self) -> Report {
        let mut report = self.book.notes().report.clone();
        report.unclaimed = self.callers.iter().map(Broker::unclaimed_replies).sum();
        (report.resident, report.peak) = memory();
        report
    }

    async fn end(&self) -> Report {
        let report = self.report().await;
        self.ending.notify_one();
        report
    }
}

/// Resident memory now and at its peak, in KiB; zero without /proc.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().split(' ').next()?.parse().ok()
    };
    (number("VmRSS:").unwrap_or(0), number("VmHWM:").unwrap_or(0))
}

/// Counts warnings by their text, and prints the first of each.
struct Warnings(Book);

impl<S: tracing::Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() > tracing::Level::WARN {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let mut notes = self.0.notes();
        let count = notes.report.warnings.entry(line.message.clone()).or_default();
        *count += 1;
        if *count <= PRINTED {
            println!("WARN {}{}", line.message, line.fields);
        }
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
        written.expect("a string takes everything");
    }
}
