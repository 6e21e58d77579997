//! Clients that do nothing but refresh: each presents, on its own connection, the token that it was answered last.
//!
//! Usage: refresh ADDRESS TOKENS SECONDS, with a client's first refresh token in each line of the file TOKENS.
//!
//! Prints one line: requests, answers that were not 200, microseconds, p50 and p99 in microseconds.

mod answer;

use std::io::{ErrorKind, Read, Result, Write};
use std::time::{Duration, Instant};

use answer::{Answer, Tally};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, tokens, seconds] = words.as_slice() else {
        panic!("usage: refresh ADDRESS TOKENS SECONDS");
    };
    let tokens = std::fs::read_to_string(tokens)?;
    let mut poll = Poll::new()?;
    let mut clients = Vec::new();
    for token in tokens.lines() {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let number = Token(clients.len());
        poll.registry()
            .register(&mut stream, number, Interest::READABLE)?;
        clients.push(Client {
            stream,
            token: token.to_owned(),
            answer: Answer::default(),
            sent_at: Instant::now(),
        });
    }
    let end = Instant::now() + Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let mut tally = Tally::new();
    let mut waiting = clients.len();
    clients.iter_mut().try_for_each(Client::send)?;
    let mut events = Events::with_capacity(waiting);
    let mut room = [0; 16 * 1024];
    while waiting > 0 {
        poll.poll(&mut events, Some(Duration::from_secs(10)))?;
        assert!(!events.is_empty(), "no answer for ten seconds");
        for event in &events {
            let client = &mut clients[event.token().0];
            let length = match client.stream.read(&mut room) {
                Ok(0) => panic!("the gateway closed a connection"),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            let Some(ok) = client.answer.take(&room[..length]) else {
                continue;
            };
            tally.add(client.sent_at, ok);
            client.token = refresh_token(client.answer.whole());
            if Instant::now() < end {
                client.send()?;
            } else {
                waiting -= 1;
            }
        }
    }
    println!("{}", tally.line());
    Ok(())
}

struct Client {
    stream: TcpStream,
    token: String,
    answer: Answer,
    sent_at: Instant,
}

impl Client {
    fn send(&mut self) -> Result<()> {
        let body = format!(
            "grant_type=refresh_token&client_id=mobile&refresh_token={}",
            self.token
        );
        let request = format!(
            "POST /oauth/token HTTP/1.1\r\nHost: bench.example.test\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.sent_at = Instant::now();
        self.stream.write_all(request.as_bytes())
    }
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
