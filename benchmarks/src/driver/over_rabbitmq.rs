//! Calls between processes, with RabbitMQ between them.

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
const NAIVE: &str = "naive lapin";
const BATCHED: &str = "batched lapin";
/// The peer that says what the broker can carry.
const LIMIT: &str = "limit";

/// How many calls are in flight while one server is compared with four.
const SERVERS_WINDOW: usize = 256;
const SERVERS: [usize; 2] = [1, 4];

const RATE: Figure = |measured| Some(measured.rate);
const P50: Figure = |measured| measured.p50;
const MEASURES: [(&str, Figure); 6] = [
    ("calls a second", RATE),
    ("p50, µs", P50),
    ("p99, µs", |measured| measured.p99),
    ("client, processor µs a call", |measured| measured.client),
    ("server, processor µs a call", |measured| measured.server),
    ("broker, processor µs a call", |measured| measured.broker),
];

pub(crate) async fn run(flags: &Flags, broker: &Broker, targets: &mut Targets) {
    let contenders = contenders(flags);
    let (calls, payloads, servers) = settings(flags);
    let mut settings: Vec<Setting> = [&calls[..], &payloads, &servers].concat();
    settings.sort_by_key(|setting| (setting.servers, setting.payload, setting.window));
    settings.dedup();
    if settings.is_empty() || contenders.is_empty() {
        return;
    }
    let results = Rounds { broker, contenders: &contenders, settings, flags }.run().await;
    let show = |measures: &[(&str, Figure)], settings: &[Setting]| {
        for (measure, figure) in measures {
            table::section(measure, settings.len());
            for contender in &contenders {
                let columns = settings
                    .iter()
                    .map(|&setting| results.spread(&contender.name, setting, *figure));
                table::row(&contender.name, columns);
            }
        }
    };
    let columns = |settings: &[Setting], of: fn(&Setting) -> String| {
        settings.iter().map(of).collect::<Vec<_>>()
    };
    if !calls.is_empty() {
        table::head(
            "median (quartiles)",
            &columns(&calls, |setting| format!("{} in flight", setting.window)),
        );
        show(&MEASURES, &calls);
        limit_note(flags);
        call_targets(&results, targets);
    }
    if !payloads.is_empty() {
        let head = format!("{} in flight, payloads each way of", flags.payload_window);
        table::head(&head, &columns(&payloads, |setting| bytes(setting.payload)));
        show(
            &[
                ("calls a second", RATE),
                ("broker, processor µs a call", |measured| measured.broker),
            ],
            &payloads,
        );
        table::section("MB a second, each way", payloads.len());
        for contender in &contenders {
            let columns = payloads.iter().map(|&setting| {
                #[allow(clippy::cast_precision_loss, reason = "payloads are far smaller")]
                let megabytes = setting.payload as f64 / 1e6;
                results.spread(&contender.name, setting, RATE).map(|rate| rate.times(megabytes))
            });
            table::row(&contender.name, columns);
        }
        payload_targets(&results, &payloads, targets);
    }
    if !servers.is_empty() {
        let head = format!("{SERVERS_WINDOW} in flight");
        table::head(
            &head,
            &columns(&servers, |setting| match setting.servers {
                1 => "1 server".to_owned(),
                more => format!("{more} servers"),
            }),
        );
        show(&MEASURES[..3], &servers);
    }
}

fn contenders(flags: &Flags) -> Vec<Contender> {
    let own = [
        (OURS, "ours", &[][..]),
        (UNCONFIRMED, "ours", &["--no-confirms"]),
        (NAIVE, "lapin-naive", &[]),
        (BATCHED, "lapin-batched", &[]),
    ];
    let own = own
        .map(|(name, program, arguments)| Contender::own(name, program, arguments, flags.runtime));
    let peers = flags.peers.iter().map(Contender::peer);
    own.into_iter().chain(peers).filter(|contender| flags.wants(&contender.name)).collect()
}

/// Those of each table.
fn settings(flags: &Flags) -> (Vec<Setting>, Vec<Setting>, Vec<Setting>) {
    let windows =
        flags.windows().into_iter().map(|window| Setting { servers: 1, window, payload: NUMBER });
    let window = flags.payload_window;
    let payloads =
        flags.payloads().into_iter().map(|payload| Setting { servers: 1, window, payload });
    let servers =
        SERVERS.map(|servers| Setting { servers, window: SERVERS_WINDOW, payload: NUMBER });
    (
        windows.filter(|_| flags.has(Part::Calls)).collect(),
        payloads.filter(|_| flags.has(Part::Payloads)).collect(),
        servers.into_iter().filter(|_| flags.has(Part::Servers)).collect(),
    )
}

fn call_targets(results: &Results, targets: &mut Targets) {
    let at = |window| Setting { servers: 1, window, payload: NUMBER };
    let to = |other, window, figure| results.ratio((OURS, at(window)), (other, at(window)), figure);
    let naive = to(NAIVE, 256, RATE);
    targets.add("256 in flight, calls a second, to naive lapin", AtLeast(2.5), Unbound, naive);
    let limit = to(LIMIT, 256, RATE);
    targets.add("256 in flight, calls a second, to the limit", AtLeast(0.55), AtLeast(0.8), limit);
    let unconfirmed = to(UNCONFIRMED, 256, RATE);
    targets.add("256 in flight, calls a second, to none confirmed", Unbound, Unbound, unconfirmed);
    let naive = to(NAIVE, 1, P50);
    targets.add("1 in flight, p50, to naive lapin", AtMost(1.05), Unbound, naive);
    let limit = to(LIMIT, 1, P50);
    targets.add("1 in flight, p50, to the limit's mean", Unbound, AtMost(1.25), limit);
    let naive = to(NAIVE, 16, RATE);
    targets.add("16 in flight, calls a second, to naive lapin", AtLeast(2.0), Unbound, naive);
    let fewer = results.ratio((OURS, at(4096)), (OURS, at(256)), Measurement::ends);
    targets.add(
        "4,096 in flight, processor time of both ends, to 256",
        AtMost(1.2),
        Unbound,
        fewer,
    );
}

fn payload_targets(results: &Results, settings: &[Setting], targets: &mut Targets) {
    for &setting in settings.iter().filter(|setting| setting.payload >= 64 * 1024) {
        let what =
            format!("{}, bytes a second, to the better of both over lapin", bytes(setting.payload));
        let measured = results.ratio_to_best(OURS, [NAIVE, BATCHED], setting, RATE);
        targets.add(&what, AtLeast(0.95), Unbound, measured);
    }
}

fn limit_note(flags: &Flags) {
    if !flags.peers.is_empty() {
        println!("\nA peer that says no p50 has its mean there.");
    }
}

fn bytes(bytes: usize) -> String {
    match (bytes >> 20, bytes >> 10) {
        (0, 0) => format!("{bytes} bytes"),
        (0, kibibytes) => format!("{kibibytes} KiB"),
        (mebibytes, _) => format!("{mebibytes} MiB"),
    }
}
