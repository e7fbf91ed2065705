//! `rpc ping`: the running servers.

use serde::Serialize;

use super::{connect, discovery};
use crate::{
    cli::{Chosen, Global, Output},
    duration,
    failure::Failure,
    find::{no_answer, note_dropped},
    show::{Align, Table, json, line, short},
};

/// An answer with its round-trip time.
#[derive(Debug, Serialize)]
struct Pong {
    instance: String,
    host: String,
    services: Vec<String>,
    ready: bool,
    round_trip_us: u64,
}

pub(super) async fn run(global: &Global, chosen: &Chosen) -> Result<(), Failure> {
    let broker = connect(global).await?;
    let service = chosen.service.as_deref();
    let asking = discovery(&broker, global, service);
    let mut pings = asking.ping().await?;
    note_dropped(&asking);
    pings.retain(|ping| chosen.includes(&ping.instance));
    if pings.is_empty() {
        return Err(no_answer(global, service));
    }
    if global.output == Output::Json {
        let answers = pings.into_iter().map(|ping| Pong {
            round_trip_us: u64::try_from(ping.round_trip.as_micros()).unwrap_or(u64::MAX),
            instance: ping.instance,
            host: ping.host,
            services: ping.services,
            ready: ping.ready,
        });
        return json(&answers.collect::<Vec<_>>());
    }
    let mut table = Table::new(&[
        ("INSTANCE", Align::Left),
        ("HOST", Align::Left),
        ("STATE", Align::Left),
        ("ROUND TRIP", Align::Right),
        ("SERVICES", Align::Left),
    ]);
    for ping in pings {
        table.row([
            short(&ping.instance),
            ping.host,
            if ping.ready { "ready" } else { "not ready" }.to_owned(),
            duration::show(ping.round_trip),
            ping.services.join(", "),
        ]);
    }
    line(table.to_string())
}
