//! Traces of runs for a collector, by OTLP over HTTP.
//!
//! Spans (`spans.rs`) are collected and sent by a thread of their own, off every run's way: a collector
//! that is slow or away costs spans and nothing else. The HTTP client is the blocking one, because
//! that thread has no runtime: with the other client it would panic at its first export.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::TracesConfig;
use crate::incident::Region;
use crate::limits;
use crate::spans;

/// Where OTLP over HTTP takes traces, below the collector's address.
const PATH: &str = "/v1/traces";

/// What has been collected, and is sent when it ends.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    pub(super) fn start(config: &TracesConfig, region: &Region) -> Result<Self, String> {
        let address = config.otlp.trim_end_matches('/');
        let address = address.strip_suffix(PATH).unwrap_or(address);
        let exporter = Otlp::builder()
            .with_http()
            .with_endpoint(format!("{address}{PATH}"))
            .with_timeout(limits::TRACES_REQUEST)
            .build()
            .map_err(|error| error.to_string())?;
        let told = Told { exporter, address: config.otlp.clone(), is_failing: false.into() };
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(limits::TRACES_QUEUE)
            .with_scheduled_delay(limits::TRACES_EVERY)
            .build();
        let processor = BatchSpanProcessor::builder(told).with_batch_config(batches).build();
        let of = [
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("ams.region", region.to_string()),
        ];
        let resource = Resource::builder().with_service_name("ams").with_attributes(of).build();
        let provider =
            SdkTracerProvider::builder().with_span_processor(processor).with_resource(resource);
        Ok(Self(provider.build()))
    }

    /// Takes the spans that are meant for traces, and nothing that is logged: no words of others.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let meant = filter_fn(|it| it.is_span() && it.target() == spans::TARGET);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("ams"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(meant.with_max_level_hint(LevelFilter::INFO))
    }

    /// Sends what is left, within a time.
    pub(super) async fn stop(self) {
        let sent = move || self.0.shutdown_with_timeout(limits::TRACES_LAST);
        match tokio::task::spawn_blocking(sent).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last spans are not sent"),
            Err(error) => tracing::warn!(%error, "the last spans are not sent"),
        }
    }
}

/// Says once that spans are lost, and once that they are not any more.
#[derive(Debug)]
struct Told {
    exporter: Otlp,
    address: String,
    is_failing: AtomicBool,
}

impl SpanExporter for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let sent = self.exporter.export(batch).await;
        let was_failing = self.is_failing.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !was_failing => tracing::warn!(
                %error, spans, "the collector of traces at {} takes no spans; these are lost",
                self.address,
            ),
            Ok(()) if was_failing => {
                tracing::info!("the collector of traces at {} takes spans again", self.address);
            }
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
