//! The rates of each method between two answers.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use rpc_runtime::discovery::{InstanceStats, MethodStats};

/// The statistics of all servers at one time.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) at: Instant,
    pub(super) instances: Vec<InstanceStats>,
}

/// One method, summed over all servers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub(super) service: String,
    pub(super) method: String,
    pub(super) servers: usize,
    /// Per second since the last answer, like the errors.
    pub(super) calls: f64,
    pub(super) errors: f64,
    pub(super) in_flight: u64,
    /// Latency of the slowest server, in microseconds.
    pub(super) p50: Option<u64>,
    pub(super) p99: Option<u64>,
    pub(super) waiting: Option<u32>,
}

/// How rows are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Order {
    #[default]
    Name,
    Calls,
    Errors,
    Latency,
}

/// The methods of all services, sorted.
pub(super) fn rows(
    before: Option<&Snapshot>,
    now: &Snapshot,
    service: Option<&str>,
    order: Order,
) -> Vec<Row> {
    let counted = before.map(counters).unwrap_or_default();
    let seconds = before.map_or(1.0, |before| now.at.duration_since(before.at).as_secs_f64());
    let mut rows: BTreeMap<(&str, &str), Row> = BTreeMap::new();
    for instance in &now.instances {
        let chosen =
            instance.services.iter().filter(|known| service.is_none_or(|name| known.name == name));
        for served in chosen {
            for method in &served.methods {
                let row = rows.entry((&served.name, &method.name)).or_default();
                row.service.clone_from(&served.name);
                row.method.clone_from(&method.name);
                row.servers += 1;
                // A peer may send any numbers.
                row.in_flight = row.in_flight.saturating_add(method.in_flight);
                row.waiting = row.waiting.max(served.depth);
                if let Some(latency) = method.latency_us {
                    row.p50 = row.p50.max(Some(latency.p50));
                    row.p99 = row.p99.max(Some(latency.p99));
                }
                // A new server has no rate yet.
                let key = (instance.instance.as_str(), served.name.as_str(), method.name.as_str());
                if let Some((calls, errors)) = counted.get(&key) {
                    row.calls += per_second(method.calls.saturating_sub(*calls), seconds);
                    row.errors += per_second(errors_of(method).saturating_sub(*errors), seconds);
                }
            }
        }
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    match order {
        Order::Name => {}
        Order::Calls => rows.sort_by(|a, b| b.calls.total_cmp(&a.calls)),
        Order::Errors => rows.sort_by(|a, b| b.errors.total_cmp(&a.errors)),
        Order::Latency => rows.sort_by_key(|row| std::cmp::Reverse(row.p99)),
    }
    rows
}

/// The calls and errors so far, by instance, service and method.
fn counters(snapshot: &Snapshot) -> HashMap<(&str, &str, &str), (u64, u64)> {
    let mut counters = HashMap::new();
    for instance in &snapshot.instances {
        for service in &instance.services {
            for method in &service.methods {
                counters.insert(
                    (instance.instance.as_str(), service.name.as_str(), method.name.as_str()),
                    (method.calls, errors_of(method)),
                );
            }
        }
    }
    counters
}

fn errors_of(method: &MethodStats) -> u64 {
    method.errors.values().fold(0, |sum: u64, count| sum.saturating_add(*count))
}

#[allow(clippy::cast_precision_loss, reason = "it is shown with few digits")]
fn per_second(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds.max(1e-3)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![Just(u64::MAX), Just(u64::MAX - 1), Just(0), any::<u64>()]
    }

    fn method() -> impl Strategy<Value = Value> {
        let errors = prop::collection::btree_map("[ab]", number(), 0..3);
        ("[ab]", number(), number(), errors, number()).prop_map(
            |(name, calls, now, errors, p99)| {
                json!({
                    "name": name, "calls": calls, "in_flight": now, "errors": errors,
                    "latency_us": {"mean": p99, "p50": p99, "p90": p99, "p99": p99, "max": p99},
                })
            },
        )
    }

    prop_compose! {
        fn snapshot()(
            methods in prop::collection::vec(prop::collection::vec(method(), 0..4), 0..4),
            after in 0u64..100_000,
            depth in any::<Option<u32>>(),
        ) -> (Vec<InstanceStats>, Duration) {
            let instance = |methods| {
                let service = json!({"name": "S", "depth": depth, "methods": methods});
                serde_json::from_value(json!({"instance": "i", "services": [service]})).unwrap()
            };
            (methods.into_iter().map(instance).collect(), Duration::from_micros(after))
        }
    }

    proptest! {
        #[test]
        fn any_numbers_can_be_shown(before in snapshot(), now in snapshot()) {
            let start = Instant::now();
            let made = |(instances, after)| Snapshot { at: start + after, instances };
            let (before, now) = (made(before), made(now));
            for order in [Order::Name, Order::Calls, Order::Errors, Order::Latency] {
                for row in rows(Some(&before), &now, None, order) {
                    prop_assert!(row.calls.is_finite() && row.errors.is_finite(), "{row:?}");
                    prop_assert!(row.calls >= 0.0 && row.errors >= 0.0, "{row:?}");
                }
            }
        }
    }
}
