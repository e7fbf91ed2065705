//! How a server fares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a server has done since it was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstanceStats {
    /// What the server calls itself: another text each time one is started.
    pub instance: String,
    /// The machine it runs on.
    #[serde(default)]
    pub host: String,
    /// How long ago it was started, in milliseconds.
    #[serde(default)]
    pub uptime_ms: u64,
    /// Requests that were taken from a queue, without the `unreadable` ones.
    #[serde(default)]
    pub requests: u64,
    /// Requests given back to their queue, not started or not finished.
    #[serde(default)]
    pub given_back: u64,
    /// Replies that reached no caller: RabbitMQ returned or refused them.
    #[serde(default)]
    pub undeliverable: u64,
    /// Requests that were rejected for their `reply_to`.
    #[serde(default)]
    pub refused_reply_to: u64,
    /// Requests that were rejected because their headers are too large to be read.
    #[serde(default)]
    pub unreadable: u64,
    /// What it has done for each service.
    #[serde(default)]
    pub services: Vec<ServiceStats>,
}

/// What a server has done for one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceStats {
    /// The service.
    pub name: String,
    /// Its queue.
    #[serde(default)]
    pub queue: String,
    /// Requests that wait in that queue; absent where the broker did not say.
    #[serde(default)]
    pub depth: Option<u32>,
    /// Who consumes that queue, this server included; absent where the broker did not say.
    #[serde(default)]
    pub consumers: Option<u32>,
    /// Requests that ended in a fault, by its word; those that named no method of the service are counted here alone.
    #[serde(default)]
    pub faults: BTreeMap<String, u64>,
    /// What it has done for each method, in the order of the trait.
    #[serde(default)]
    pub methods: Vec<MethodStats>,
}

/// What a server has done for one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MethodStats {
    /// The method.
    pub name: String,
    /// Requests that named it, those in flight included.
    #[serde(default)]
    pub calls: u64,
    /// Requests that are worked on now.
    #[serde(default)]
    pub in_flight: u64,
    /// Requests that did not end with a result: by the word of their fault, or `error` for an error of the method's own.
    #[serde(default)]
    pub errors: BTreeMap<String, u64>,
    /// How long an answer took, from the request's arrival in the server; absent before the first.
    #[serde(default)]
    pub latency_us: Option<Latency>,
}

/// How long answers took, in microseconds, to within 4 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Latency {
    /// On average.
    pub mean: u64,
    /// Half of them took no longer.
    pub p50: u64,
    /// Nine in ten took no longer.
    pub p90: u64,
    /// 99 in 100 took no longer.
    pub p99: u64,
    /// None took longer.
    pub max: u64,
}
