//! What becomes of `tracing` events: lines on standard error. Knows which of pingora's own messages a stranger can cause
//! at will, and keeps them out.

use std::io;
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Subscriber;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::lines::Lines;

/// How diagnostics look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diagnostics {
    /// One compact line of text, for people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Makes the diagnostics those of the process.
///
/// # Errors
/// When the process has a subscriber already.
pub(super) fn install(
    diagnostics: Arc<Lines>,
    how: Diagnostics,
) -> Result<(), tracing_subscriber::util::TryInitError> {
    tracing_subscriber::registry()
        .with(diagnostics_layer(diagnostics, how))
        .try_init()
}

fn diagnostics_layer<S: Subscriber + for<'s> LookupSpan<'s>>(
    lines: Arc<Lines>,
    how: Diagnostics,
) -> Box<dyn Layer<S> + Send + Sync> {
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(Pen(lines));
    match how {
        Diagnostics::Text => layer.compact().with_filter(audible()).boxed(),
        Diagnostics::Json => layer.json().with_filter(audible()).boxed(),
    }
}

/// What an operator wants to read. Libraries speak from `warn` up; what any client can provoke, once a packet, not at all.
fn audible() -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("tollgate", LevelFilter::INFO)
        .with_target("pingora_core", LevelFilter::ERROR)
        .with_target("pingora_core::protocols", LevelFilter::OFF)
        .with_target("h2", LevelFilter::OFF)
        .with_target("rustls", LevelFilter::OFF)
}

/// Writes each event's text into the queue in one piece.
struct Pen(Arc<Lines>);

impl<'p> MakeWriter<'p> for Pen {
    type Writer = Stroke<'p>;

    fn make_writer(&'p self) -> Stroke<'p> {
        Stroke(&self.0)
    }
}

struct Stroke<'p>(&'p Lines);

impl io::Write for Stroke<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
