//! The codecs against their corpora, and against themselves when the same bytes come in other pieces.

mod answers;
mod bodies;
mod heads;
mod writes;

use super::body::{BodyError, BodyReader, Piece, trailer_fields};
use super::fields;
use super::head::{HeadError, HeadLimits, parse_request};
use crate::corpus;

#[path = "../../tests/fuzz/checks/body.rs"]
mod body_check;
#[path = "../../tests/fuzz/checks/listener.rs"]
mod listener_check;
#[path = "../../tests/fuzz/checks/request_head.rs"]
mod request_head_check;

const LIMITS: HeadLimits = HeadLimits {
    bytes_max: 32 << 10,
    fields_max: 128,
};

#[test]
fn every_row_of_the_smuggling_corpus_meets_its_verdict() {
    let rows = corpus::rows(include_str!("../../tests/data/smuggling.txt"));
    assert!(rows.len() >= 80);
    for row in rows {
        let verdict = read_messages(&row.bytes);
        assert_eq!(
            verdict,
            row.verdict,
            "{}: {:?}",
            row.note,
            row.bytes.escape_ascii().to_string()
        );
    }
}

#[test]
fn every_row_of_the_header_corpus_meets_its_verdict() {
    let rows = corpus::rows(include_str!("../../tests/data/headers.txt"));
    assert!(rows.len() >= 80);
    for row in rows {
        let head = [b"GET / HTTP/1.1\r\nHost: a\r\n", &row.bytes[..], b"\r\n"].concat();
        let verdict = match parse_request(&head, LIMITS) {
            Ok(Some((request, _))) => fate_of_fields(&request.fields[1..], row.verdict),
            Ok(None) => "more",
            Err(error) => name_of(error),
        };
        assert_eq!(
            verdict,
            row.verdict,
            "{}: {}",
            row.note,
            row.bytes.escape_ascii()
        );
    }
}

#[test]
fn the_fuzz_corpora_of_heads_bodies_and_connections_pass() {
    corpus::replay("request_head", request_head_check::check);
    corpus::replay("body", body_check::check);
    corpus::replay("listener", listener_check::check);
}

/// What the rules for names make of fields; what the gate refuses is not this room's to find.
fn fate_of_fields(found: &[super::Field<'_>], expected: &'static str) -> &'static str {
    if expected == "gate" {
        return expected;
    }
    let nominated: Vec<&[u8]> = found
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("connection"))
        .flat_map(|field| fields::list(field.value))
        .collect();
    let is_nominated = |name: &str| {
        let mut options = nominated
            .iter()
            .filter_map(|option| std::str::from_utf8(option).ok());
        options.any(|option| fields::same_name(option, name))
    };
    let is_dropped = |name: &str| {
        name.contains('_')
            || is_nominated(name)
            || fields::is_hop_by_hop(name)
            || fields::is_forwarding(name)
            || fields::is_method_override(name)
            || fields::has_prefix(name, "X-Identity-")
            || fields::same_name(name, "authorization")
            || fields::same_name(name, "x-request-id")
    };
    let mut fates = found.iter().map(|field| is_dropped(field.name));
    let first = fates.next().expect("a row has a field");
    assert!(fates.all(|fate| fate == first), "one fate for a row");
    if first { "dropped" } else { "passes" }
}

/// Reads requests until the input is over or refused.
fn read_messages(bytes: &[u8]) -> String {
    let mut rest = bytes;
    let mut messages = 0;
    while !rest.is_empty() {
        let (framing, length) = match parse_request(rest, LIMITS) {
            Ok(Some((request, length))) => (request.framing, length),
            Ok(None) => return "more".into(),
            Err(error) => return name_of(error).into(),
        };
        match read_body(BodyReader::new(framing), &rest[length..], usize::MAX) {
            Ok(Some(body)) => rest = &rest[length + body.consumed..],
            Ok(None) => return "more".into(),
            Err(_) => return "body".into(),
        }
        messages += 1;
    }
    messages.to_string()
}

fn name_of(error: HeadError) -> &'static str {
    match error {
        HeadError::Malformed(_) => "malformed",
        HeadError::Ambiguous(_) => "ambiguous",
        HeadError::TooLarge => "too_large",
    }
}

/// A body that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Body {
    content: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
    consumed: usize,
}

/// Reads a body from input that comes `piece` bytes at a time; `None` when it ends before the body does.
fn read_body(
    mut reader: BodyReader,
    input: &[u8],
    piece: usize,
) -> Result<Option<Body>, BodyError> {
    let mut content = Vec::new();
    let (mut done, mut came) = (0, piece.min(input.len()));
    loop {
        match reader.read(&input[done..came])? {
            Piece::Data {
                content: range,
                consumed,
            } => {
                assert!(!range.is_empty());
                content.extend_from_slice(&input[done..][range]);
                done += consumed;
            }
            Piece::More { consumed } => {
                done += consumed;
                if came == input.len() {
                    return Ok(None);
                }
                came = came.saturating_add(piece).min(input.len());
            }
            Piece::End { consumed, trailers } => {
                let trailers = trailer_fields(&input[done..][trailers])?;
                assert!(reader.is_over() && reader.may_end_here());
                return Ok(Some(Body {
                    content,
                    trailers: trailers
                        .iter()
                        .map(|field| (field.name.to_owned(), field.value.to_vec()))
                        .collect(),
                    consumed: done + consumed,
                }));
            }
        }
    }
}
