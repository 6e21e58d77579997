//! What the parsers refuse behind TLS has its reason, its count, its log line and its id as everywhere.

use std::io::Write as _;
use std::sync::Arc;

use super::{House, ask};

/// The frames that a connection of HTTP/2 begins with, and SETTINGS on a stream, where they never are (RFC 9113 §6.5).
const BROKEN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\0\x04\0\0\0\0\x01";

#[test]
fn a_head_that_is_none_is_told_of_everywhere() {
    let house = House::one();
    let config = Arc::new(house.client());
    let rows: [(&[u8], &str, u16); 2] = [
        (b"GET /x HTTP/1.1\r\nHost : a\r\n\r\n", "request_malformed", 400),
        (
            b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "request_ambiguous",
            400,
        ),
    ];
    for (bytes, reason, status) in rows {
        let mut tls = house.connect(&config, "a.test").unwrap();
        let answer = ask(&mut tls, bytes).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.contains(&format!("\"{reason}\"")), "{answer}");
        let id = answer
            .lines()
            .find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("x-request-id: ")
                    .map(str::to_owned)
            })
            .expect("an id");
        let line = house.gateway.log_line(&id);
        assert_eq!(
            (&line["reason"], &line["status"]),
            (&reason.into(), &status.into())
        );
        let label = format!("reason=\"{reason}\"");
        let counted = house.gateway.metric("tollgate_decisions_total", &[&label]);
        assert_eq!(counted, 1.0, "{reason}");
    }
}

#[test]
fn a_connection_that_breaks_http2_is_told_of_too() {
    let house = House::one();
    let mut config = house.client();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let mut tls = house.connect(&Arc::new(config), "a.test").unwrap();
    tls.flush().unwrap();
    let _goaway = ask(&mut tls, BROKEN);
    let line = house.gateway.log_line("\"request_malformed\"");
    assert_eq!(line["protocol"], "HTTP/2", "{line}");
    assert!(
        line["request_id"].as_str().is_some_and(|id| !id.is_empty()),
        "{line}"
    );
    let labels = ["reason=\"request_malformed\""];
    assert_eq!(
        house.gateway.metric("tollgate_decisions_total", &labels),
        1.0
    );
}
