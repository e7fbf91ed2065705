//! A server's description of itself for discovery.

use std::{
    process,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tokio::time::Instant;

use super::{health::Health, request::Gauges, stats::Counters};
use crate::{
    codec::Encoding,
    contract::{ArgumentDescriptor, MethodDescriptor, ServiceDescriptor},
    discovery::{
        ArgumentInfo, InstanceInfo, InstancePing, InstanceStats, MethodInfo, ServerLimits,
        ServiceInfo, ServiceStats,
    },
    transport::QueueState,
};

/// What a server knows about itself.
pub(super) struct Instance {
    pub(super) id: Arc<str>,
    host: String,
    started: SystemTime,
    since: Instant,
    limits: ServerLimits,
    exchange: String,
    services: Vec<Served>,
    counters: Arc<Counters>,
    health: Health,
}

/// A service and its queue.
pub(super) struct Served {
    pub(super) service: &'static ServiceDescriptor,
    pub(super) queue: String,
    pub(super) gauges: Gauges,
}

impl Instance {
    pub(super) fn new(
        id: Arc<str>,
        limits: ServerLimits,
        exchange: &str,
        services: Vec<Served>,
        counters: Arc<Counters>,
        health: Health,
    ) -> Self {
        Self {
            id,
            host: host().to_owned(),
            started: SystemTime::now(),
            since: Instant::now(),
            limits,
            exchange: exchange.to_owned(),
            services,
            counters,
            health,
        }
    }

    /// The services, each with its queue.
    pub(super) fn served(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.services.iter().map(|served| (served.service.name, served.queue.as_str()))
    }

    pub(super) fn services(&self) -> impl Iterator<Item = &'static str> {
        self.services.iter().map(|served| served.service.name)
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|served| served.queue.as_str())
    }

    pub(super) fn ping(&self) -> InstancePing {
        InstancePing {
            instance: self.id.to_string(),
            host: self.host.clone(),
            services: self.services().map(str::to_owned).collect(),
            ready: self.health.is_ready(),
            round_trip: Duration::ZERO,
        }
    }

    pub(super) fn info(&self) -> InstanceInfo {
        let encodings = [Encoding::Bincode, Encoding::Json, Encoding::Text];
        InstanceInfo {
            instance: self.id.to_string(),
            host: self.host.clone(),
            process: process::id(),
            runtime: concat!("rpc-runtime ", env!("CARGO_PKG_VERSION")).to_owned(),
            started_ms: self.started.duration_since(UNIX_EPOCH).map_or(0, milliseconds),
            uptime_ms: milliseconds(self.since.elapsed()),
            encodings: encodings.map(|encoding| encoding.content_type().to_owned()).to_vec(),
            limits: self.limits,
            services: self.services.iter().map(|served| served.info(&self.exchange)).collect(),
        }
    }

    /// The server's statistics. `depths` holds the state of each service's queue, if it is known.
    pub(super) fn stats(&self, depths: &[Option<QueueState>]) -> InstanceStats {
        let counted = self.counters.snapshot();
        let depths = depths.iter().copied().chain(std::iter::repeat(None));
        InstanceStats {
            instance: self.id.to_string(),
            host: self.host.clone(),
            uptime_ms: milliseconds(self.since.elapsed()),
            requests: counted.requests,
            given_back: counted.given_back,
            undeliverable: counted.undeliverable,
            refused_reply_to: counted.refused_reply_to,
            unreadable: counted.unreadable,
            services: self
                .services
                .iter()
                .zip(depths)
                .map(|(served, queue)| served.stats(queue))
                .collect(),
        }
    }
}

impl Served {
    fn info(&self, exchange: &str) -> ServiceInfo {
        ServiceInfo {
            name: self.service.name.to_owned(),
            version: self.service.version,
            queue: self.queue.clone(),
            exchange: exchange.to_owned(),
            encoding: self.service.encoding.content_type().to_owned(),
            timeout_ms: self.service.timeout.map(milliseconds),
            doc: self.service.doc.to_owned(),
            methods: self.service.methods.iter().map(|method| method_info(method)).collect(),
        }
    }

    fn stats(&self, queue: Option<QueueState>) -> ServiceStats {
        let methods = self.gauges.methods.iter();
        ServiceStats {
            name: self.service.name.to_owned(),
            queue: self.queue.clone(),
            depth: queue.map(|queue| queue.messages),
            consumers: queue.map(|queue| queue.consumers),
            faults: self.gauges.faults.snapshot(),
            methods: methods.map(|(name, meter)| meter.snapshot(name)).collect(),
        }
    }
}

fn method_info(method: &MethodDescriptor) -> MethodInfo {
    MethodInfo {
        name: method.name.to_owned(),
        doc: method.doc.to_owned(),
        arguments: method
            .arguments
            .iter()
            .enumerate()
            .map(|(index, argument)| argument_info(argument, argument_schema(method, index)))
            .collect(),
        returns: method.returns.to_owned(),
        timeout_ms: method.timeout.map(milliseconds),
        oneway: method.oneway,
        blocking: method.blocking,
        idempotent: method.idempotent,
        at_most_once: method.at_most_once,
        cacheable_ms: method.cacheable.map(milliseconds),
        default: method.default,
        signature: method.signature.as_str().to_owned(),
        unseen: method.signature.unseen().to_vec(),
        #[cfg(feature = "schemars")]
        result_schema: method.schemas.result(),
        #[cfg(feature = "schemars")]
        error_schema: method.schemas.error(),
        #[cfg(not(feature = "schemars"))]
        result_schema: None,
        #[cfg(not(feature = "schemars"))]
        error_schema: None,
    }
}

fn argument_info(argument: &ArgumentDescriptor, schema: Option<Value>) -> ArgumentInfo {
    ArgumentInfo { name: argument.name.to_owned(), ty: argument.ty.to_owned(), schema }
}

#[cfg(feature = "schemars")]
fn argument_schema(method: &MethodDescriptor, index: usize) -> Option<Value> {
    method.schemas.argument(index)
}

#[cfg(not(feature = "schemars"))]
fn argument_schema(_: &MethodDescriptor, _: usize) -> Option<Value> {
    None
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The name of this machine.
fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| hostname::get().unwrap_or_default().to_string_lossy().into_owned())
}
