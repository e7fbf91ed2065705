//! The statistics of a server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The statistics of a server since its start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstanceStats {
    /// The server's id. Each start of a server makes a new one.
    pub instance: String,
    /// The machine that it runs on.
    #[serde(default)]
    pub host: String,
    /// The time since its start, in milliseconds.
    #[serde(default)]
    pub uptime_ms: u64,
    /// Requests taken from a queue, without the `unreadable` ones.
    #[serde(default)]
    pub requests: u64,
    /// Requests given back to their queue. They were not started or not finished.
    #[serde(default)]
    pub given_back: u64,
    /// Replies that reached no caller. RabbitMQ returned or refused them.
    #[serde(default)]
    pub undeliverable: u64,
    /// Requests that were rejected because of their `reply_to`.
    #[serde(default)]
    pub refused_reply_to: u64,
    /// Requests that were rejected because their headers are too large to read.
    #[serde(default)]
    pub unreadable: u64,
    /// The statistics of each service.
    #[serde(default)]
    pub services: Vec<ServiceStats>,
}

/// The statistics of one service of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceStats {
    /// The service.
    pub name: String,
    /// Its queue.
    #[serde(default)]
    pub queue: String,
    /// Requests that wait in that queue. Absent if the broker did not report it.
    #[serde(default)]
    pub depth: Option<u32>,
    /// The number of consumers of that queue, including this server. Absent if the broker did not report it.
    #[serde(default)]
    pub consumers: Option<u32>,
    /// Requests that ended in a fault, by its word. Requests that named no method of the service are counted only
    /// here.
    #[serde(default)]
    pub faults: BTreeMap<String, u64>,
    /// The statistics of each method, in the order of the trait.
    #[serde(default)]
    pub methods: Vec<MethodStats>,
}

/// The statistics of one method of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MethodStats {
    /// The method.
    pub name: String,
    /// Requests that named it, including those in progress.
    #[serde(default)]
    pub calls: u64,
    /// Requests in progress.
    #[serde(default)]
    pub in_flight: u64,
    /// Requests that did not end with a result, by the word of their fault, or `error` for an application error.
    #[serde(default)]
    pub errors: BTreeMap<String, u64>,
    /// The time to a reply, from the request's arrival at the server. Absent before the first reply.
    #[serde(default)]
    pub latency_us: Option<Latency>,
}

/// The times to a reply, in microseconds, exact to within 4 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Latency {
    /// The average.
    pub mean: u64,
    /// Half of the times are at most this.
    pub p50: u64,
    /// 90 in 100 of the times are at most this.
    pub p90: u64,
    /// 99 in 100 of the times are at most this.
    pub p99: u64,
    /// The longest time.
    pub max: u64,
}
