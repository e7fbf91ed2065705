//! Calls between processes over RabbitMQ.

use rpc_benchmarks::arguments::NUMBER;

use crate::broker::Broker;
use crate::contender::{Contender, Setting};
use crate::flags::{Flags, Part};
use crate::measurement::Measurement;
use crate::results::{Figure, Results};
use crate::rounds::Rounds;
use crate::table;
use crate::targets::Bound::{AtLeast, AtMost, Unbound};
use crate::targets::Targets;

const OURS: &str = "ours";
const UNCONFIRMED: &str = "ours, no confirms";
const OVER_LAPIN: &str = "ours over lapin";
const NAIVE: &str = "naive lapin";
const BATCHED: &str = "batched lapin";
/// The peer that shows the broker's limit.
const LIMIT: &str = "limit";

/// How many calls to keep in flight while one server is compared with four.
const SERVERS_WINDOW: usize = 256;
const SERVERS: [usize; 2] = [1, 4];

const RATE: Figure = |measured| Some(measured.rate);
const P50: Figure = |measured| measured.p50;
const P99: Figure = |measured| measured.p99;
const CLIENT: Figure = |measured| measured.client;
const SERVER: Figure = |measured| measured.server;
const BROKER: Figure = |measured| measured.broker;
const MEGABYTES: Figure = |measured| Some(measured.megabytes());

/// A table: its columns are settings; its rows are contenders, repeated for each measure.
struct Sheet {
    title: String,
    columns: Vec<(String, Setting)>,
    measures: Vec<(&'static str, Figure)>,
}

pub(crate) async fn run(flags: &Flags, broker: &Broker, targets: &mut Targets) {
    let (contenders, sheets) = (contenders(flags), sheets(flags));
    let columns = sheets.iter().flat_map(|sheet| &sheet.columns);
    let mut settings: Vec<Setting> = columns.map(|(_, setting)| *setting).collect();
    settings.sort_by_key(|setting| (setting.servers, setting.payload, setting.window));
    settings.dedup();
    if settings.is_empty() || contenders.is_empty() {
        return;
    }
    let results = Rounds { broker, contenders: &contenders, settings, flags }.run().await;
    for sheet in &sheets {
        sheet.print(&contenders, &results);
    }
    if !flags.peers.is_empty() {
        println!("\nFor a peer without p50 the mean is shown.");
    }
    call_targets(&results, targets);
    payload_targets(flags, &results, targets);
}

fn contenders(flags: &Flags) -> Vec<Contender> {
    let own = [
        (OURS, "ours", &[][..]),
        (UNCONFIRMED, "ours", &["--no-confirms"]),
        (OVER_LAPIN, "ours-over-lapin", &[]),
        (NAIVE, "lapin-naive", &[]),
        (BATCHED, "lapin-batched", &[]),
    ];
    let own = own
        .map(|(name, program, arguments)| Contender::own(name, program, arguments, flags.runtime));
    let peers = flags.peers.iter().map(Contender::peer);
    own.into_iter().chain(peers).filter(|contender| flags.wants(&contender.name)).collect()
}

fn sheets(flags: &Flags) -> Vec<Sheet> {
    let called = |window| (format!("{window} in flight"), with_numbers(1, window));
    let calls = Sheet {
        title: "median (quartiles)".to_owned(),
        columns: flags.windows().into_iter().map(called).collect(),
        measures: vec![
            ("calls a second", RATE),
            ("p50, µs", P50),
            ("p99, µs", P99),
            ("client, processor µs a call", CLIENT),
            ("server, processor µs a call", SERVER),
            ("broker, processor µs a call", BROKER),
        ],
    };
    let payloads = Sheet {
        title: format!("{} in flight, payloads each way of", flags.payload_window),
        columns: payloads(flags).map(|setting| (bytes(setting.payload), setting)).collect(),
        measures: vec![
            ("calls a second", RATE),
            ("MB a second, each way", MEGABYTES),
            ("client, processor µs a call", CLIENT),
            ("server, processor µs a call", SERVER),
            ("broker, processor µs a call", BROKER),
        ],
    };
    let served = |servers| (format!("servers: {servers}"), with_numbers(servers, SERVERS_WINDOW));
    let servers = Sheet {
        title: format!("{SERVERS_WINDOW} in flight"),
        columns: SERVERS.map(served).into(),
        measures: vec![("calls a second", RATE), ("p50, µs", P50), ("p99, µs", P99)],
    };
    let all = [(Part::Calls, calls), (Part::Payloads, payloads), (Part::Servers, servers)];
    all.into_iter().filter_map(|(part, sheet)| flags.has(part).then_some(sheet)).collect()
}

fn with_numbers(servers: usize, window: usize) -> Setting {
    Setting { servers, window, payload: NUMBER }
}

fn payloads(flags: &Flags) -> impl Iterator<Item = Setting> {
    let window = flags.payload_window;
    flags.payloads().into_iter().map(move |payload| Setting { servers: 1, window, payload })
}

impl Sheet {
    fn print(&self, contenders: &[Contender], results: &Results) {
        let names: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        table::head(&self.title, &names);
        for (measure, figure) in &self.measures {
            table::section(measure, names.len());
            for Contender { name, .. } in contenders {
                let columns = self.columns.iter();
                table::row(name, columns.map(|(_, at)| results.spread(name, *at, *figure)));
            }
        }
    }
}

fn call_targets(results: &Results, targets: &mut Targets) {
    let to = |other, window, figure| {
        let at = with_numbers(1, window);
        results.ratio((OURS, at), (other, at), figure)
    };
    let naive = to(NAIVE, 256, RATE);
    targets.add("256 in flight, calls a second, to naive lapin", AtLeast(2.5), Unbound, naive);
    let limit = to(LIMIT, 256, RATE);
    targets.add("256 in flight, calls a second, to the limit", AtLeast(0.55), AtLeast(0.8), limit);
    let unconfirmed = to(UNCONFIRMED, 256, RATE);
    targets.add(
        "256 in flight, calls a second, to the same without confirms",
        Unbound,
        Unbound,
        unconfirmed,
    );
    let over_lapin = to(OVER_LAPIN, 256, RATE);
    targets.add("256 in flight, calls a second, to ours over lapin", Unbound, Unbound, over_lapin);
    let naive = to(NAIVE, 1, P50);
    targets.add("1 in flight, p50, to naive lapin", AtMost(1.05), Unbound, naive);
    let limit = to(LIMIT, 1, P50);
    targets.add("1 in flight, p50, to the limit's mean", Unbound, AtMost(1.25), limit);
    let naive = to(NAIVE, 16, RATE);
    targets.add("16 in flight, calls a second, to naive lapin", AtLeast(2.0), Unbound, naive);
    let [many, fewer] = [4096, 256].map(|window| (OURS, with_numbers(1, window)));
    let ends = results.ratio(many, fewer, Measurement::ends);
    targets.add("4,096 in flight, processor time of both ends, to 256", AtMost(1.2), Unbound, ends);
}

fn payload_targets(flags: &Flags, results: &Results, targets: &mut Targets) {
    for setting in payloads(flags).filter(|setting| setting.payload >= 64 * 1024) {
        let what =
            format!("{} payloads, bytes a second, to the better lapin", bytes(setting.payload));
        let measured = results.ratio_to_best(OURS, [NAIVE, BATCHED], setting, MEGABYTES);
        targets.add(&what, AtLeast(0.95), Unbound, measured);
    }
}

fn bytes(bytes: usize) -> String {
    match (bytes >> 20, bytes >> 10) {
        (0, 0) => format!("{bytes} bytes"),
        (0, kibibytes) => format!("{kibibytes} KiB"),
        (mebibytes, _) => format!("{mebibytes} MiB"),
    }
}
