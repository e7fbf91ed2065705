//! The exported spans.

use std::sync::OnceLock;

use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use rpc_tests::eventually;
use tracing_subscriber::{
    filter::LevelFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use super::SOON;

/// Collects the spans of this process, like a program that exports them.
fn exporter() -> &'static InMemorySpanExporter {
    static EXPORTER: OnceLock<InMemorySpanExporter> = OnceLock::new();
    EXPORTER.get_or_init(|| {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("tests"));
        tracing_subscriber::registry().with(LevelFilter::INFO).with(layer).init();
        exporter
    })
}

/// Starts to collect spans.
pub(crate) fn collect() {
    exporter();
}

/// Waits for so many ended spans of this kind and name for this queue, earliest first.
pub(crate) async fn at(kind: SpanKind, name: &str, queue: &str, count: usize) -> Vec<SpanData> {
    let which = |span: &SpanData| {
        span.span_kind == kind
            && span.name == name
            && attribute(span, "messaging.destination.name") == queue
    };
    let all = || {
        let mut found = exporter().get_finished_spans().unwrap();
        found.retain(which);
        found.sort_by_key(|span| span.start_time);
        (found.len() >= count).then_some(found)
    };
    let found = eventually(&format!("{count} spans {name} have ended"), SOON, all).await;
    assert_eq!(found.len(), count, "{found:?}");
    found
}

/// The child span of this name.
pub(crate) async fn child(parent: &SpanData, name: &str) -> SpanData {
    let below = parent.span_context.span_id();
    let which = |span: &SpanData| span.parent_span_id == below && span.name == name;
    let find = || exporter().get_finished_spans().unwrap().into_iter().find(which);
    eventually(&format!("the span {name} has ended"), SOON, find).await
}

/// An attribute, as text; empty if there is none.
pub(crate) fn attribute(span: &SpanData, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    found.map(|attribute| attribute.value.to_string()).unwrap_or_default()
}

pub(crate) fn has_failed(span: &SpanData) -> bool {
    matches!(span.status, Status::Error { .. })
}
