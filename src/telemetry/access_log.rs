//! One JSON line a request. A request becomes a `tracing` event of the target [`TARGET`]; the layer here writes that
//! target's events, and nothing else, as lines. No line has a token or a query; subjects stand in it as digests unless
//! the operator wants them plain.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::exchange::Exchange;
use super::lines::Lines;
use crate::config::model::SubjectInLog;
use crate::gate::Reason;
use crate::time::Timestamp;

/// The target of access log events.
pub(super) const TARGET: &str = "tollgate::access";

/// Tells `tracing` of one finished request. `subject` is what the log may show of it.
pub(super) fn emit(exchange: &Exchange<'_>, subject: Option<&str>, now: Timestamp) {
    let micros = |span: std::time::Duration| span.as_micros() as f64 / 1000.0;
    tracing::info!(
        target: TARGET,
        ts = rfc3339(now),
        request_id = exchange.request_id,
        trace_id = exchange.trace_id,
        listener = exchange.listener,
        peer = %exchange.peer,
        protocol = exchange.protocol,
        method = cut(exchange.method, METHOD_BYTES_MAX),
        host = cut(exchange.host, HOST_BYTES_MAX),
        path = cut(exchange.path, PATH_BYTES_MAX),
        route = exchange.route_name(),
        status = exchange.status,
        verdict = exchange.verdict,
        reason = exchange.reason.map(Reason::as_str),
        detail = Some(exchange.detail).filter(|detail| !detail.is_empty()),
        issuer = exchange.issuer,
        subject,
        product = exchange.product(),
        upstream = exchange.upstream,
        server = exchange.server,
        bytes_in = exchange.bytes_in,
        bytes_out = exchange.bytes_out,
        duration_ms = micros(exchange.duration),
        upstream_ms = exchange.upstream_duration.map(micros),
    );
}

/// How the log names subjects.
#[derive(Debug)]
pub(super) struct Subjects {
    key: [u8; 32],
}

impl Subjects {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// What stands in the log: the same for the same subject of the same issuer, as long as the key is.
    pub(super) fn show(&self, exchange: &Exchange<'_>, how: SubjectInLog) -> Option<String> {
        let subject = exchange.subject?;
        if how == SubjectInLog::Plain {
            return Some(cut(subject, SUBJECT_BYTES_MAX).to_owned());
        }
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(exchange.issuer.unwrap_or("").as_bytes());
        hasher.update(b"\0");
        hasher.update(subject.as_bytes());
        let digest = hasher.finalize().to_hex();
        Some(digest[..SUBJECT_DIGITS].to_owned())
    }
}

/// Writes events of [`TARGET`] as lines. Their fields are their members, in order.
pub(super) struct AccessLayer {
    pub(super) lines: Arc<Lines>,
}

impl<S: Subscriber> Layer<S> for AccessLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        BUFFER.with_borrow_mut(|line| {
            line.clear();
            line.push(b'{');
            event.record(&mut Members(line));
            line.extend_from_slice(b"}\n");
            self.lines.push(line);
        });
    }
}

thread_local! {
    /// The line in the making: no allocation a request.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Appends an event's fields as the members of one JSON object.
struct Members<'l>(&'l mut Vec<u8>);

impl Members<'_> {
    fn member(&mut self, field: &Field, value: impl serde::Serialize) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        // A Rust identifier: nothing in it needs an escape.
        self.0.push(b'"');
        self.0.extend_from_slice(field.name().as_bytes());
        self.0.extend_from_slice(b"\":");
        serde_json::to_writer(&mut *self.0, &value).expect("a Vec takes any bytes");
    }
}

impl Visit for Members<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.member(field, format!("{value:?}"));
    }
}

/// The beginning of `text`, at most so many bytes: a client may send 32 KiB of path, a log line need not have them.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// RFC 3339 with milliseconds, in UTC.
fn rfc3339(at: Timestamp) -> String {
    let (days, in_day) = (at.as_secs() / 86_400, at.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    let mut text = String::with_capacity(24);
    write!(
        text,
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        in_day / 3600,
        in_day / 60 % 60,
        in_day % 60,
        at.as_millis() % 1000,
    )
    .expect("a String takes any text");
    text
}

/// Year, month and day of so many days since the epoch. Years are counted from March, so that a leap day is the last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

const METHOD_BYTES_MAX: usize = 32;
const HOST_BYTES_MAX: usize = 255;
const PATH_BYTES_MAX: usize = 2048;
const SUBJECT_BYTES_MAX: usize = 255;

/// 64 bits of the digest: enough to tell subjects apart, short enough to read.
const SUBJECT_DIGITS: usize = 16;
