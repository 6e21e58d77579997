//! A connection that outlives its gateway: one request, then an answer or the news that it was cut.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::Answer;

/// A keep-alive connection, opened when it is needed.
pub(super) struct Line {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(60);

impl Line {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
        }
    }

    /// Sends a request and reads its answer; `None` where the connection could not be made or ended before the answer did.
    pub(super) fn ask(&mut self, request: &str) -> Option<Answer> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address)?,
        };
        let answer = exchange(&stream, request)?;
        if answer.field("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Some(answer)
    }
}

fn connect(address: SocketAddr) -> Option<TcpStream> {
    let stream = TcpStream::connect(address).ok()?;
    // A port that nobody listens on can be given to the caller itself.
    if stream.local_addr().ok()? == address {
        return None;
    }
    stream.set_nodelay(true).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    Some(stream)
}

fn exchange(mut stream: &TcpStream, request: &str) -> Option<Answer> {
    stream.write_all(request.as_bytes()).ok()?;
    let mut unread = Vec::new();
    let end = loop {
        if let Some(at) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        fill(stream, &mut unread)?;
    };
    let head = String::from_utf8(unread.drain(..end).collect()).expect("an ASCII head");
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
    let fields = lines.filter_map(|line| line.split_once(':'));
    let mut answer = Answer {
        status,
        fields: fields
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
        body: Vec::new(),
    };
    let length = answer.field("content-length").expect("a length");
    let length: usize = length.parse().expect("a number");
    while unread.len() < length {
        fill(stream, &mut unread)?;
    }
    answer.body = unread;
    Some(answer)
}

fn fill(mut stream: &TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer) {
        Ok(0) => None,
        Ok(length) => {
            unread.extend_from_slice(&buffer[..length]);
            Some(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
            panic!("no answer within {PATIENCE:?}")
        }
        Err(_) => None,
    }
}
