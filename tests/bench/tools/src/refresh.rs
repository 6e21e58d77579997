//! Clients that do nothing but refresh: each presents, on its own connection, the token that it was answered last.
//!
//! Usage: refresh ADDRESS TOKENS SECONDS, with a client's first refresh token in each line of the file TOKENS.
//!
//! Prints one line: requests, answers that were not 200, microseconds, p50 and p99 in microseconds.

mod answer;
mod closed;

use std::io::{Result, Write};
use std::time::{Duration, Instant};

use closed::closed;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, tokens, seconds] = words.as_slice() else {
        panic!("usage: refresh ADDRESS TOKENS SECONDS");
    };
    let address = address.parse().expect("an address");
    let tokens = std::fs::read_to_string(tokens)?;
    let mut tokens: Vec<String> = tokens.lines().map(str::to_owned).collect();
    let end = Instant::now() + Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let mut tally = closed(address, tokens.len(), |client, answer, request| {
        if !answer.is_empty() {
            tokens[client] = refresh_token(answer);
        }
        let more = Instant::now() < end;
        if more {
            put(&tokens[client], request);
        }
        more
    })?;
    println!("{}", tally.line());
    Ok(())
}

fn put(token: &str, request: &mut Vec<u8>) {
    let body = format!("grant_type=refresh_token&client_id=mobile&refresh_token={token}");
    let put = write!(
        request,
        "POST /oauth/token HTTP/1.1\r\nHost: bench.example.test\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    put.expect("memory takes it");
}

/// The token in an answer of RFC 6749 §5.1: base64url, so that no escape hides its end.
fn refresh_token(answer: &[u8]) -> String {
    const BEFORE: &str = "\"refresh_token\":\"";
    let text = std::str::from_utf8(answer).expect("an answer in UTF-8");
    let token = text
        .split_once(BEFORE)
        .and_then(|(_, rest)| rest.split_once('"'));
    token
        .unwrap_or_else(|| panic!("no refresh token in {text}"))
        .0
        .to_owned()
}
