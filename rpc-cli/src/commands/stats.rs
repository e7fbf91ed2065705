//! `rpc stats`: statistics of servers.

use std::{collections::BTreeMap, time::Duration};

use rpc_runtime::discovery::{Discovery, InstanceStats, Latency};
use tokio::time::sleep;

use super::{connect, discovery};
use crate::{
    cli::{Global, Output, StatsArgs},
    duration,
    failure::Failure,
    find::{no_answer, note_dropped},
    show::{Align, Table, clean, json, line, short},
};

pub(super) async fn run(global: &Global, arguments: &StatsArgs) -> Result<(), Failure> {
    let broker = connect(global).await?;
    let asking = discovery(&broker, global, arguments.chosen.service.as_deref());
    loop {
        show(global, arguments, &asking).await?;
        let Some(interval) = arguments.watch else {
            note_dropped(&asking);
            return Ok(());
        };
        sleep(interval).await;
        if global.output == Output::Text {
            line("")?;
        }
    }
}

async fn show(global: &Global, arguments: &StatsArgs, asking: &Discovery) -> Result<(), Failure> {
    let chosen = &arguments.chosen;
    let mut stats = asking.stats().await?;
    stats.retain(|stats| chosen.includes(&stats.instance));
    if let Some(name) = &chosen.service {
        for instance in &mut stats {
            instance.services.retain(|service| service.name == *name);
        }
    }
    if stats.is_empty() && arguments.watch.is_none() {
        return Err(no_answer(global, chosen.service.as_deref()));
    }
    if global.output == Output::Json {
        return json(&stats);
    }
    line(table(&stats).to_string())?;
    refusals(&stats).chain(rejections(&stats)).try_for_each(line)
}

/// A line for each service that refused requests before their method was known. No row of the table counts them.
fn refusals(stats: &[InstanceStats]) -> impl Iterator<Item = String> {
    let services =
        stats.iter().flat_map(|stats| stats.services.iter().map(move |service| (stats, service)));
    services.filter_map(|(stats, service)| {
        let of_methods = |word: &String| -> u64 {
            let counted = service.methods.iter().filter_map(|method| method.errors.get(word));
            counted.fold(0, |sum, count| sum.saturating_add(*count))
        };
        let apart = service.faults.iter().filter_map(|(word, count)| {
            let apart = count.saturating_sub(of_methods(word));
            (apart > 0).then(|| (word.clone(), apart))
        });
        let apart: BTreeMap<String, u64> = apart.collect();
        let (instance, service) = (short(&stats.instance), &service.name);
        let refused = || format!("{instance} refused requests of {service} that no row counts: ");
        (!apart.is_empty()).then(|| clean(&(refused() + &errors(&apart))))
    })
}

/// A line for each server that has rejected requests. No row of the table counts them, because they name no method.
fn rejections(stats: &[InstanceStats]) -> impl Iterator<Item = String> {
    stats.iter().filter_map(|stats| {
        let counted = [
            (stats.refused_reply_to, "for their reply_to"),
            (stats.unreadable, "for headers too large to be read"),
        ];
        let parts: Vec<String> = counted
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, why)| format!("{count} {why}"))
            .collect();
        let instance = clean(&short(&stats.instance));
        (!parts.is_empty()).then(|| format!("{instance} rejected requests: {}", parts.join(", ")))
    })
}

/// A row for each method of each server. The first row of a service also shows its queue.
fn table(stats: &[InstanceStats]) -> Table {
    let mut table = Table::new(&[
        ("SERVICE", Align::Left),
        ("INSTANCE", Align::Left),
        ("METHOD", Align::Left),
        ("CALLS", Align::Right),
        ("NOW", Align::Right),
        ("P50", Align::Right),
        ("P99", Align::Right),
        ("MAX", Align::Right),
        ("WAITING", Align::Right),
        ("ERRORS", Align::Left),
    ]);
    for instance in stats {
        for service in &instance.services {
            let depth = service.depth.map_or("?".to_owned(), |depth| depth.to_string());
            for method in &service.methods {
                let time = |which: fn(&Latency) -> u64| {
                    let latency = method.latency_us.as_ref();
                    latency.map_or("-".to_owned(), |latency| {
                        duration::show(Duration::from_micros(which(latency)))
                    })
                };
                table.row([
                    service.name.clone(),
                    short(&instance.instance),
                    method.name.clone(),
                    method.calls.to_string(),
                    method.in_flight.to_string(),
                    time(|latency| latency.p50),
                    time(|latency| latency.p99),
                    time(|latency| latency.max),
                    depth.clone(),
                    errors(&method.errors),
                ]);
            }
        }
    }
    table
}

/// `bad-arguments 2, error 1`.
fn errors(counted: &BTreeMap<String, u64>) -> String {
    let counted: Vec<String> =
        counted.iter().map(|(word, count)| format!("{word} {count}")).collect();
    if counted.is_empty() { "-".to_owned() } else { counted.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refusals_without_a_method_have_a_line() {
        let counted = |faults: serde_json::Value, errors: serde_json::Value| -> InstanceStats {
            let method = json!({"name": "m", "errors": errors});
            let service = json!({"name": "S\n", "faults": faults, "methods": [method]});
            let stats = json!({"instance": "0123456789", "services": [service]});
            serde_json::from_value(stats).unwrap()
        };
        let faults = json!({"unknown-method": 3, "panicked": 2, "unsupported-encoding": 1});
        let stats = [
            counted(faults, json!({"panicked": 2, "error": 7})),
            // Counted meanwhile.
            counted(json!({"panicked": 1}), json!({"panicked": 2})),
        ];
        assert_eq!(
            refusals(&stats).collect::<Vec<_>>(),
            [
                r"01234567 refused requests of S\n that no row counts: unknown-method 3, unsupported-encoding 1"
            ]
        );
    }

    #[test]
    fn rejections_have_a_line_for_each_server() {
        let stats = |instance: &str, refused_reply_to: u64, unreadable: u64| -> InstanceStats {
            let stats = json!({
                "instance": instance, "refused_reply_to": refused_reply_to, "unreadable": unreadable,
            });
            serde_json::from_value(stats).unwrap()
        };
        let older = serde_json::from_value(json!({ "instance": "older" })).unwrap();
        let stats = [stats("0123456789", 3, 0), stats("a\n", 1, u64::MAX), stats("b", 0, 0), older];
        let lines: Vec<String> = rejections(&stats).collect();
        assert_eq!(
            lines,
            [
                "01234567 rejected requests: 3 for their reply_to".to_owned(),
                format!(
                    "a\\n rejected requests: 1 for their reply_to, {} for headers too large to be read",
                    u64::MAX
                ),
            ]
        );
    }
}
