//! GET requests over keep-alive connections, each with the next token of a file, from its line FIRST on.
//!
//! Usage: load ADDRESS TOKENS|- FIRST CONNECTIONS HOW, where HOW is one of
//!   closed SECONDS       each connection sends when it has its answer
//!   count REQUESTS       as closed, and ends after so many
//!   paced SECONDS RATE   latency counts from when a request was due
//!
//! Prints one line: requests, answers that were not 200, microseconds, p50 and p99 in microseconds.

mod answer;
mod closed;

use std::io::{Read, Result, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use answer::{Answer, Tally};
use closed::closed;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<u64>().expect("a number");
    let [address, tokens, first, connections, how @ ..] = words.as_slice() else {
        panic!("usage: load ADDRESS TOKENS|- FIRST CONNECTIONS closed|count|paced …");
    };
    let address = address.parse().expect("an address");
    let requests = Requests::read(tokens, number(first))?;
    let connections = number(connections) as usize;
    let mut tally = match how {
        ["closed", seconds] => {
            let end = Instant::now() + Duration::from_secs_f64(seconds.parse().expect("seconds"));
            in_turn(address, &requests, connections, |_| Instant::now() < end)?
        }
        ["count", most] => in_turn(address, &requests, connections, |sent| sent < number(most))?,
        ["paced", seconds, rate] => {
            let seconds = Duration::from_secs_f64(seconds.parse().expect("seconds"));
            paced(address, requests, connections, seconds, number(rate))?
        }
        _ => panic!("closed SECONDS, count REQUESTS or paced SECONDS RATE"),
    };
    println!("{}", tally.line());
    Ok(())
}

/// The requests in turn; put together when they are sent, so that a million of them fit.
struct Requests {
    tokens: String,
    lines: Vec<(usize, usize)>,
    first: u64,
}

impl Requests {
    fn read(file: &str, first: u64) -> Result<Arc<Self>> {
        let tokens = match file {
            "-" => String::new(),
            file => std::fs::read_to_string(file)?,
        };
        let start = tokens.as_ptr() as usize;
        let span = |line: &str| (line.as_ptr() as usize - start, line.len());
        let lines = tokens.lines().map(span).collect();
        Ok(Arc::new(Self {
            tokens,
            lines,
            first,
        }))
    }

    fn put(&self, number: u64, request: &mut Vec<u8>) {
        request.extend_from_slice(b"GET / HTTP/1.1\r\nHost: bench.example.test\r\n");
        if !self.lines.is_empty() {
            let (start, length) = self.lines[(self.first + number) as usize % self.lines.len()];
            request.extend_from_slice(b"Authorization: Bearer ");
            request.extend_from_slice(&self.tokens.as_bytes()[start..start + length]);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
    }
}

/// The requests in turn, whichever connection is free, while there are `more` after so many.
fn in_turn(
    address: SocketAddr,
    requests: &Requests,
    connections: usize,
    more: impl Fn(u64) -> bool,
) -> Result<Tally> {
    let mut sent = 0;
    closed(address, connections, |_, _, request| {
        let more = more(sent);
        if more {
            requests.put(sent, request);
            sent += 1;
        }
        more
    })
}

/// A thread for each connection, asleep until its next request is due: poll(2) knows milliseconds alone.
fn paced(
    address: SocketAddr,
    requests: Arc<Requests>,
    connections: usize,
    length: Duration,
    rate: u64,
) -> Result<Tally> {
    // Threads inherit it: a sleep ends within a microsecond, not fifty.
    std::fs::write("/proc/self/timerslack_ns", "1")?;
    let began = Instant::now() + Duration::from_millis(100);
    let gap = Duration::from_secs(1) / rate as u32;
    let run = move |number: usize, requests: &Requests| -> Result<Tally> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let (mut tally, mut request, mut room) = (Tally::new(), Vec::new(), [0; 16 * 1024]);
        for turn in (number as u64..).step_by(connections) {
            let due = began + gap * turn as u32;
            if due > began + length {
                break;
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            request.clear();
            requests.put(turn, &mut request);
            stream.write_all(&request)?;
            let mut answer = Answer::default();
            let ok = loop {
                let length = stream.read(&mut room)?;
                assert!(length > 0, "the gateway closed a connection");
                if let Some(ok) = answer.take(&room[..length]) {
                    break ok;
                }
            };
            tally.add(due, ok);
        }
        Ok(tally)
    };
    let threads: Vec<_> = (0..connections)
        .map(|number| {
            let requests = requests.clone();
            std::thread::spawn(move || run(number, &requests))
        })
        .collect();
    let mut all = Tally::new();
    for thread in threads {
        let tally = thread.join().expect("a connection ended early")?;
        all.bad += tally.bad;
        all.latencies.extend(tally.latencies);
    }
    Ok(all)
}
