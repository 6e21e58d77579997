//! One JSON line a request, written by hand: every request pays for it. No line has a token or a query; subjects stand
//! in it as digests unless the operator wants them plain.

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::Duration;

use smallvec::SmallVec;

use super::exchange::Exchange;
use super::lines::Lines;
use crate::config::model::SubjectInLog;
use crate::gate::Reason;
use crate::wire::write::write_decimal;

thread_local! {
    /// The line in the making: no allocation a request.
    static DRAFT: RefCell<Draft> = const { RefCell::new(Draft { line: Vec::new(), second: u64::MAX, date: [0; 20] }) };
}

/// A line, and the second that the last one was written in: most lines share it with the one before.
struct Draft {
    line: Vec<u8>,
    second: u64,
    /// Date and time up to `second`, with the point behind it.
    date: [u8; 20],
}

/// Queues the line of one finished request. `subject` is what the log may show of it.
pub(super) fn write(lines: &Lines, exchange: &Exchange<'_>, subject: Option<&str>) {
    let now = exchange.at;
    DRAFT.with_borrow_mut(|draft| {
        if draft.second != now.as_secs() {
            (draft.second, draft.date) = (now.as_secs(), date_and_time(now.as_secs()));
        }
        let line = &mut draft.line;
        line.clear();
        line.reserve(LINE_BYTES);
        line.extend_from_slice(b"{\"ts\":\"");
        line.extend_from_slice(&draft.date);
        line.extend_from_slice(&decimal::<3>(now.as_millis() % 1000));
        line.extend_from_slice(b"Z\"");
        put_members(line, exchange, subject);
        line.extend_from_slice(b"}\n");
        lines.push(line);
    });
}

/// What stands before the value of a member behind the first one. Its name is an identifier: nothing in it needs an escape.
macro_rules! key {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

/// The same before a text without its quotation marks.
macro_rules! text {
    ($name:literal) => {
        concat!(",\"", $name, "\":\"")
    };
}

fn put_members(line: &mut Vec<u8>, exchange: &Exchange<'_>, subject: Option<&str>) {
    put_word(line, text!("request_id"), exchange.request_id);
    put_word(line, text!("trace_id"), exchange.trace_id);
    put_word(line, text!("listener"), exchange.listener);
    put_word(line, text!("peer"), exchange.peer);
    if let Some(client) = exchange.client {
        put_word(line, text!("client"), &client.to_string());
    }
    put_word(line, text!("protocol"), exchange.protocol);
    put_text(
        line,
        text!("method"),
        cut(exchange.method, METHOD_BYTES_MAX),
    );
    put_text(line, text!("host"), cut(exchange.host, HOST_BYTES_MAX));
    put_text(line, text!("path"), cut(exchange.path, PATH_BYTES_MAX));
    put_some_word(line, text!("route"), exchange.route_name());
    put_number(line, key!("status"), exchange.status.into());
    put_word(line, text!("verdict"), exchange.verdict);
    put_some_word(line, text!("reason"), exchange.reason.map(Reason::as_str));
    put_text(line, text!("detail"), exchange.detail);
    put_some_word(line, text!("issuer"), exchange.issuer);
    put_some_text(line, text!("subject"), subject);
    put_some_word(line, text!("product"), exchange.product());
    put_some_word(line, text!("upstream"), exchange.upstream);
    put_some_word(line, text!("server"), exchange.server);
    put_number(line, key!("bytes_in"), exchange.bytes_in);
    put_number(line, key!("bytes_out"), exchange.bytes_out);
    put_millis(line, key!("duration_ms"), exchange.duration);
    if let Some(took) = exchange.upstream_duration {
        put_millis(line, key!("upstream_ms"), took);
    }
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
    pub(super) fn show<'e>(
        &self,
        exchange: &Exchange<'e>,
        how: SubjectInLog,
    ) -> Option<Cow<'e, str>> {
        let subject = exchange.subject?;
        if how == SubjectInLog::Plain {
            return Some(cut(subject, SUBJECT_BYTES_MAX).into());
        }
        let make = || self.digest(exchange.issuer.unwrap_or(""), subject);
        Some(match exchange.pseudonym {
            Some(known) => (**known.get_or_init(make)).into(),
            None => make().into_string().into(),
        })
    }

    fn digest(&self, issuer: &str, subject: &str) -> Box<str> {
        let mut named: SmallVec<[u8; 256]> = SmallVec::new();
        named.extend_from_slice(issuer.as_bytes());
        named.push(0);
        named.extend_from_slice(subject.as_bytes());
        let digest = blake3::keyed_hash(&self.key, &named).to_hex();
        digest[..SUBJECT_DIGITS].into()
    }
}

/// A member whose text is of an alphabet that needs no escape: ids, addresses, names of the configuration. Not in line, as
/// its neighbours: a request fetches the code of twenty members once instead of twenty times.
#[inline(never)]
fn put_word(line: &mut Vec<u8>, key: &'static str, word: &str) {
    line.reserve(key.len() + word.len() + 1);
    line.extend_from_slice(key.as_bytes());
    line.extend_from_slice(word.as_bytes());
    line.push(b'"');
}

fn put_some_word(line: &mut Vec<u8>, key: &'static str, word: Option<&str>) {
    if let Some(word) = word {
        put_word(line, key, word);
    }
}

/// A member of any text. An empty one has nothing to say: a head that cannot be read has no method, for one.
#[inline(never)]
fn put_text(line: &mut Vec<u8>, key: &'static str, text: &str) {
    if text.is_empty() {
        return;
    }
    let needs_escape = |byte: u8| (byte < b' ') | (byte == b'"') | (byte == b'\\');
    // Without an early end, so that the compiler looks at many bytes at once.
    let escapes = text
        .bytes()
        .fold(false, |any, byte| any | needs_escape(byte));
    if !escapes {
        return put_word(line, key, text);
    }
    // The writer brings its own quotation marks.
    let (key, _) = key.split_at(key.len() - 1);
    line.extend_from_slice(key.as_bytes());
    serde_json::to_writer(line, text).expect("a Vec takes any bytes");
}

fn put_some_text(line: &mut Vec<u8>, key: &'static str, text: Option<&str>) {
    if let Some(text) = text {
        put_text(line, key, text);
    }
}

#[inline(never)]
fn put_number(line: &mut Vec<u8>, key: &'static str, number: u64) {
    line.extend_from_slice(key.as_bytes());
    write_decimal(line, number);
}

/// Milliseconds with their fraction, to the microsecond: `12.5`, `3.0`.
#[inline(never)]
fn put_millis(line: &mut Vec<u8>, key: &'static str, span: Duration) {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    put_number(line, key, micros / 1000);
    line.push(b'.');
    let fraction = decimal::<3>(micros % 1000);
    let digits = match fraction {
        [_, b'0', b'0'] => 1,
        [_, _, b'0'] => 2,
        _ => 3,
    };
    line.extend_from_slice(&fraction[..digits]);
}

/// The last `N` digits of a number, zeroes included.
fn decimal<const N: usize>(mut number: u64) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// The beginning of `text`, at most so many bytes: a client may send 32 KiB of path, a log line need not have them.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// RFC 3339 up to the second, in UTC, with the point behind it.
fn date_and_time(second: u64) -> [u8; 20] {
    let (days, in_day) = (second / 86_400, second % 86_400);
    let (year, month, day) = civil(days);
    let mut text = *b"0000-00-00T00:00:00.";
    text[..4].copy_from_slice(&decimal::<4>(year));
    let pairs = [month, day, in_day / 3600, in_day / 60 % 60, in_day % 60];
    for (pair, at) in pairs.into_iter().zip([5, 8, 11, 14, 17]) {
        text[at..at + 2].copy_from_slice(&decimal::<2>(pair));
    }
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

/// Room for a usual line, so that it is not copied again and again while it grows.
const LINE_BYTES: usize = 1 << 10;

/// 64 bits of the digest: enough to tell subjects apart, short enough to read.
const SUBJECT_DIGITS: usize = 16;
