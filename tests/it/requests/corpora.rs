//! The corpora of paths, of smuggling and of headers, byte for byte over a socket.

use super::http2::{Fate, ask};
use super::{House, SMUGGLED};
use crate::corpus::{self, Row};
use crate::support::Answer;

#[test]
fn a_path_is_refused_or_reaches_the_upstream_as_the_corpus_says() {
    let house = House::start();
    let bearer = house.issuer.bearer();
    for row in corpus::rows(include_str!("../../data/paths.txt")) {
        let what = format!("{}: {:.80}", row.note, row.bytes.escape_ascii().to_string());
        if row.bytes == b"*" {
            // A target of the server as a whole is below no route.
            continue;
        }
        let before = house.upstream.count();
        let mut client = house.gateway.client();
        let head = format!(" HTTP/1.1\r\nHost: a\r\n{bearer}\r\n\r\n");
        client.try_send([b"GET ", &row.bytes[..], head.as_bytes()].concat());
        let answer = client
            .answer()
            .unwrap_or_else(|| panic!("{what}: no answer"));
        if ["malformed", "ambiguous", "too_large"].contains(&row.verdict) {
            assert_refused(&answer, &row, &what);
            house.nothing_follows(&mut client, before, &what);
            continue;
        }
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        let target = String::from_utf8(row.bytes.clone()).unwrap();
        let expected = if row.verdict == "=" {
            &target
        } else {
            row.verdict
        };
        assert_eq!(
            house.lines_since(before),
            [format!("GET {expected} HTTP/1.1")],
            "{what}"
        );
    }
}

#[test]
fn bytes_that_could_be_two_requests_are_refused_and_the_rest_is_never_read() {
    // The preface of HTTP/2 is malformed where HTTP/1 alone is spoken.
    let house = House::with("http2 = false");
    let rows = corpus::rows(include_str!("../../data/smuggling.txt"));
    assert!(rows.len() >= 80);
    for row in rows {
        let what = format!("{}: {:.80}", row.note, row.bytes.escape_ascii().to_string());
        let before = house.upstream.count();
        let mut client = house.gateway.client();
        client.try_send(&row.bytes);
        if let Some(whole) = served(&row) {
            for _ in 0..whole {
                let answer = client
                    .answer()
                    .unwrap_or_else(|| panic!("{what}: no answer"));
                assert_eq!(answer.status, 200, "{what}: {answer:?}");
            }
            assert_eq!(house.lines_since(before).len(), whole, "{what}");
            continue;
        }
        if row.verdict == "more" {
            client.end();
            let refused = client.answer().is_none_or(|answer| answer.status >= 400);
            assert!(refused, "{what}");
        } else {
            client.try_send(SMUGGLED);
            let answer = client
                .answer()
                .unwrap_or_else(|| panic!("{what}: no answer"));
            assert_refused(&answer, &row, &what);
        }
        house.nothing_follows(&mut client, before, &what);
    }
}

#[test]
fn fields_pass_are_dropped_or_refused_as_the_corpus_says() {
    let house = House::start();
    let rows = corpus::rows(include_str!("../../data/headers.txt"));
    assert!(rows.len() >= 80);
    for row in rows {
        let what = format!("{}: {}", row.note, row.bytes.escape_ascii());
        let before = house.upstream.count();
        let mut client = house.gateway.client();
        let passes = ["passes", "dropped"].contains(&row.verdict);
        let follower = if passes { "" } else { SMUGGLED };
        let head = [b"GET / HTTP/1.1\r\nHost: a\r\n", &row.bytes[..], b"\r\n"].concat();
        client.try_send([&head, follower.as_bytes()].concat());
        let answer = client
            .answer()
            .unwrap_or_else(|| panic!("{what}: no answer"));
        if !passes {
            assert_refused(&answer, &row, &what);
            house.nothing_follows(&mut client, before, &what);
            continue;
        }
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        let told = house.upstream.last();
        let arrived = match row.verdict {
            "passes" => lines(&row).all(|line| told.contains(&line)),
            _ => !told.contains("evil"),
        };
        assert!(arrived, "{what}: {told}");
    }
}

#[test]
fn over_http2_a_path_fares_as_it_does_over_http1() {
    let house = House::start();
    let bearer = house.issuer.bearer();
    let token = bearer.split_once(": ").unwrap().1;
    let mut served = 0;
    for row in corpus::rows(include_str!("../../data/paths.txt")) {
        let what = format!("{}: {:.80}", row.note, row.bytes.escape_ascii().to_string());
        // The library cuts a fragment off before anybody judges: that has its own test.
        if row.bytes == b"*" || row.bytes.contains(&b'#') {
            continue;
        }
        let fields: [(&[u8], &[u8]); 5] = [
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"a"),
            (b":path", &row.bytes),
            (b"authorization", token.as_bytes()),
        ];
        let before = house.upstream.count();
        let fate = ask(&house, &fields);
        let is_refused = ["malformed", "ambiguous"].contains(&row.verdict);
        let is_too_large = row.verdict == "too_large";
        if is_refused || is_too_large || fate != Fate::Served {
            let is_told = match fate {
                Fate::Refused | Fate::Ended => true,
                Fate::Other(_) => is_too_large,
                Fate::Served => false,
            };
            assert!(is_told, "{what}: {fate:?}");
            assert_eq!(house.upstream.count(), before, "{what}");
            continue;
        }
        served += 1;
        let target = String::from_utf8(row.bytes.clone()).unwrap();
        let expected = match row.verdict {
            "=" => &target,
            other => other,
        };
        let line = format!("GET {expected} HTTP/1.1");
        assert_eq!(house.lines_since(before), [line], "{what}");
    }
    assert!(served >= 80, "only {served} were served");
}

#[test]
fn over_http2_a_field_fares_as_it_does_over_http1() {
    let house = House::start();
    for row in corpus::rows(include_str!("../../data/headers.txt")) {
        // What only the lines of HTTP/1 can say; and a Host beside `:authority`, which may agree with it.
        let agrees = row.bytes.eq_ignore_ascii_case(b"host: a\r\n");
        if ["malformed", "too_large"].contains(&row.verdict) || agrees {
            continue;
        }
        let what = format!("{}: {}", row.note, row.bytes.escape_ascii());
        let mut fields: Vec<(Vec<u8>, Vec<u8>)> = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", "/"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .to_vec();
        for line in row.bytes.split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let (name, value) = line.split_at(colon);
            fields.push((name.to_ascii_lowercase(), value[1..].trim_ascii().into()));
        }
        let before = house.upstream.count();
        let fate = ask(&house, &fields);
        if row.verdict == "passes" {
            assert_eq!(fate, Fate::Served, "{what}");
            let told = house.upstream.last();
            let named = |line: &String| {
                let (name, value) = line.split_once(": ").unwrap();
                told.contains(&format!("{}: {value}", name.to_ascii_lowercase()))
            };
            assert!(lines(&row).all(|line| named(&line)), "{what}: {told}");
        } else if row.verdict == "dropped" && fate == Fate::Served {
            assert!(!house.upstream.last().contains("evil"), "{what}");
        } else if row.bytes.contains(&b'_') && fate == Fate::Served {
            // An alias of a framing field frames nothing here, and goes the way of every name with `_`.
            assert!(!house.upstream.last().contains('_'), "{what}");
        } else {
            assert!(
                [Fate::Refused, Fate::Ended].contains(&fate),
                "{what}: {fate:?}"
            );
            assert_eq!(house.upstream.count(), before, "{what}");
        }
    }
}

/// The fields of a row as the upstream's record shows them.
fn lines(row: &Row) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(&row.bytes).into_owned();
    let lines: Vec<String> = text.split_terminator("\r\n").map(str::to_owned).collect();
    lines.into_iter().map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        format!("\r\n{name}: {}\r\n", value.trim())
    })
}

/// How many requests of a row are served; `None` where the row is refused or no whole request.
fn served(row: &Row) -> Option<usize> {
    // What the codec can read and the gate refuses.
    let is_for_the_gate =
        row.bytes.starts_with(b"CONNECT ") || row.bytes.starts_with(b"M-SEARCH * ");
    row.verdict.parse().ok().filter(|_| !is_for_the_gate)
}

fn assert_refused(answer: &Answer, row: &Row, what: &str) {
    let (status, reason) = match row.verdict {
        "too_large" => (431, "headers_too_large"),
        "malformed" | "body" => (400, "request_malformed"),
        _ => (400, "request_ambiguous"),
    };
    let found = (answer.status, answer.reason());
    assert_eq!(found, (status, reason.to_owned()), "{what}: {answer:?}");
    assert_eq!(answer.field("connection"), Some("close"), "{what}");
}
