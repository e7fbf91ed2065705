//! Metrics, recorded through the facade `metrics`. Without the feature `metrics`, all of this compiles to nothing.

use super::Outcome;

/// Which end of a call is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Client,
    Server,
}

#[cfg(feature = "metrics")]
mod facade {
    use metrics::{
        Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    };
    use tokio::time::Instant;

    use super::{End, Outcome};

    /// The names of the metrics of one end.
    struct Names {
        total: &'static str,
        duration: &'static str,
        in_flight: &'static str,
        /// The outcome of a call or a request that was dropped.
        dropped: &'static str,
    }

    const CLIENT: Names = Names {
        total: "rpc_client_calls_total",
        duration: "rpc_client_call_duration_seconds",
        in_flight: "rpc_client_calls_in_flight",
        dropped: "cancelled",
    };

    const SERVER: Names = Names {
        total: "rpc_server_requests_total",
        duration: "rpc_server_request_duration_seconds",
        in_flight: "rpc_server_requests_in_flight",
        dropped: "given-back",
    };

    const RETRIES: &str = "rpc_client_retries_total";
    const LATE_REPLIES: &str = "rpc_client_late_replies_total";
    const RECONNECTS: &str = "rpc_broker_reconnects_total";
    const OPEN_CIRCUITS: &str = "rpc_client_open_circuits";
    const CIRCUITS_OPENED: &str = "rpc_client_circuits_opened_total";
    const CACHE_HITS: &str = "rpc_cache_hits_total";
    const CACHE_MISSES: &str = "rpc_cache_misses_total";

    /// Gives the program's recorder the description and the unit of each metric of this crate. Call it once, after the
    /// recorder is installed. Without it, metrics are recorded all the same, but without descriptions.
    ///
    /// ```
    /// // metrics_exporter_prometheus::PrometheusBuilder::new().install()?;
    /// rpc_runtime::describe_metrics();
    /// ```
    pub fn describe_metrics() {
        describe_counter!(CLIENT.total, Unit::Count, "Calls that ended, by outcome");
        describe_histogram!(CLIENT.duration, Unit::Seconds, "How long calls took, by outcome");
        describe_gauge!(CLIENT.in_flight, Unit::Count, "Calls in flight");
        describe_counter!(SERVER.total, Unit::Count, "Requests that ended, by outcome");
        describe_histogram!(SERVER.duration, Unit::Seconds, "How long requests took, by outcome");
        describe_gauge!(SERVER.in_flight, Unit::Count, "Requests in progress");
        describe_counter!(RETRIES, Unit::Count, "Requests that were sent again");
        describe_counter!(LATE_REPLIES, Unit::Count, "Replies that no call was waiting for");
        describe_counter!(RECONNECTS, Unit::Count, "Connections made after one was lost");
        describe_gauge!(OPEN_CIRCUITS, Unit::Count, "Circuits that are open or half-open");
        describe_counter!(CIRCUITS_OPENED, Unit::Count, "Circuits that opened after failures");
        describe_counter!(CACHE_HITS, Unit::Count, "Calls answered from a cache");
        describe_counter!(CACHE_MISSES, Unit::Count, "Calls whose result was in no cache");
    }

    /// A call in flight, or a request in progress.
    pub(crate) struct Metered {
        names: &'static Names,
        service: &'static str,
        method: &'static str,
        since: Instant,
        ended: bool,
    }

    impl Metered {
        pub(crate) fn start(
            end: End,
            service: &'static str,
            method: impl FnOnce() -> &'static str,
        ) -> Self {
            let names = match end {
                End::Client => &CLIENT,
                End::Server => &SERVER,
            };
            let method = method();
            gauge!(names.in_flight, "service" => service, "method" => method).increment(1);
            Self { names, service, method, since: Instant::now(), ended: false }
        }

        pub(crate) fn end(mut self, outcome: Outcome) {
            self.record(outcome.word);
        }

        fn record(&mut self, outcome: &'static str) {
            self.ended = true;
            let Self { names, service, method, .. } = *self;
            gauge!(names.in_flight, "service" => service, "method" => method).decrement(1);
            let labels = [("service", service), ("method", method), ("outcome", outcome)];
            counter!(names.total, &labels).increment(1);
            histogram!(names.duration, &labels).record(self.since.elapsed());
        }
    }

    impl Drop for Metered {
        fn drop(&mut self) {
            if !self.ended {
                self.record(self.names.dropped);
            }
        }
    }

    /// Counts a request that is sent again.
    pub(crate) fn retried(service: &'static str, method: &'static str) {
        counter!(RETRIES, "service" => service, "method" => method).increment(1);
    }

    /// Counts a reply that no call was waiting for.
    pub(crate) fn late_reply() {
        counter!(LATE_REPLIES).increment(1);
    }

    /// Counts a connection that replaced a lost one.
    pub(crate) fn reconnected() {
        counter!(RECONNECTS).increment(1);
    }

    pub(crate) fn circuit_opened(service: &'static str) {
        counter!(CIRCUITS_OPENED, "service" => service).increment(1);
        gauge!(OPEN_CIRCUITS, "service" => service).increment(1);
    }

    /// Records that an open circuit was closed or dropped.
    pub(crate) fn circuit_closed(service: &'static str) {
        gauge!(OPEN_CIRCUITS, "service" => service).decrement(1);
    }

    /// Counts a lookup in a cache.
    #[cfg(feature = "cache")]
    pub(crate) fn looked_up((service, method): (&'static str, &'static str), found: bool) {
        let name = if found { CACHE_HITS } else { CACHE_MISSES };
        counter!(name, "service" => service, "method" => method).increment(1);
    }
}

#[cfg(not(feature = "metrics"))]
mod facade {
    use super::{End, Outcome};

    pub(crate) struct Metered;

    impl Metered {
        pub(crate) fn start(_: End, _: &'static str, _: impl FnOnce() -> &'static str) -> Self {
            Self
        }

        #[allow(clippy::unused_self, reason = "the same signature as with the feature")]
        pub(crate) fn end(self, _: Outcome) {}
    }

    pub(crate) fn retried(_: &'static str, _: &'static str) {}
    pub(crate) fn late_reply() {}
    pub(crate) fn reconnected() {}
    pub(crate) fn circuit_opened(_: &'static str) {}
    pub(crate) fn circuit_closed(_: &'static str) {}
    #[cfg(feature = "cache")]
    pub(crate) fn looked_up(_: (&'static str, &'static str), _: bool) {}
}

#[cfg(feature = "metrics")]
pub use facade::describe_metrics;
#[cfg(feature = "cache")]
pub(crate) use facade::looked_up;
pub(crate) use facade::{
    Metered, circuit_closed, circuit_opened, late_reply, reconnected, retried,
};
