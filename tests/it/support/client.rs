//! An HTTP/1.1 client that sends exactly the bytes it is given and reads one answer at a time.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// One connection.
pub struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Longer than any deadline that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the gateway listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .expect("the gateway reads");
    }

    /// Sends what it can: a gateway that has refused may have closed already.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _refused_already = self.stream.write_all(bytes.as_ref());
    }

    /// Says that nothing more will be sent; answers still come.
    pub fn end(&mut self) {
        let _closed_already = self.stream.shutdown(Shutdown::Write);
    }

    /// Sends a GET with `fields`, each a whole line without its end, and reads the answer.
    pub fn get(&mut self, path: &str, fields: &[&str]) -> Answer {
        self.request("GET", path, fields)
    }

    pub fn request(&mut self, method: &str, path: &str, fields: &[&str]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: api.example.com\r\n");
        for field in fields {
            head.push_str(field);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        self.send(head);
        self.answer_to(method).expect("an answer")
    }

    pub fn answer(&mut self) -> Option<Answer> {
        self.answer_to("GET")
    }

    /// Reads one final answer; `None` when the connection ended instead.
    pub fn answer_to(&mut self, method: &str) -> Option<Answer> {
        loop {
            let end = loop {
                match self
                    .unread
                    .windows(4)
                    .position(|window| window == b"\r\n\r\n")
                {
                    Some(at) => break at + 4,
                    None if self.fill() => {}
                    None => return None,
                }
            };
            let head =
                String::from_utf8(self.unread.drain(..end).collect()).expect("an ASCII head");
            let mut lines = head.split("\r\n");
            let status: u16 = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
            let fields: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect();
            let mut answer = Answer {
                status,
                fields,
                body: Vec::new(),
            };
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            if method != "HEAD" && status != 204 && status != 304 && status != 101 {
                answer.body = self.body(&answer);
            }
            return Some(answer);
        }
    }

    fn body(&mut self, answer: &Answer) -> Vec<u8> {
        if answer
            .field("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
        {
            return self.chunks();
        }
        if let Some(length) = answer.field("content-length") {
            return self.exactly(length.parse().expect("a length"));
        }
        while self.fill() {}
        std::mem::take(&mut self.unread)
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.line();
            let size = usize::from_str_radix(line.split(';').next().unwrap().trim(), 16)
                .expect("a chunk size");
            if size == 0 {
                while !self.line().is_empty() {}
                return body;
            }
            body.extend(self.exactly(size));
            assert_eq!(self.line(), "", "a chunk ends with CRLF");
        }
    }

    fn line(&mut self) -> String {
        loop {
            if let Some(at) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..at + 2).collect();
                return String::from_utf8_lossy(&line[..at]).into_owned();
            }
            assert!(self.fill(), "the connection ended within a body");
        }
    }

    pub fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert!(self.fill(), "the connection ended within a body");
        }
        self.unread.drain(..length).collect()
    }

    /// All that still comes until the gateway closes.
    pub fn everything(&mut self) -> String {
        while self.fill() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.unread)).into_owned()
    }

    /// Whether the gateway has closed: reads until the end, and nothing but the end may come.
    pub fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && !self.fill() && self.unread.is_empty()
    }

    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.unread.extend_from_slice(&buffer[..length]);
                true
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
                ) =>
            {
                false
            }
            Err(error) => panic!("nothing came within {PATIENCE:?}: {error}"),
        }
    }
}

impl Answer {
    /// The one value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self
            .fields
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let first = values.next().map(|(_, value)| value.as_str());
        assert!(
            values.next().is_none(),
            "{name} stands twice: {:?}",
            self.fields
        );
        first
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text body")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// `reason` of a problem document, which must agree with the status line.
    pub fn reason(&self) -> String {
        let problem = self.json();
        assert_eq!(
            self.field("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["request_id"].as_str(), self.field("x-request-id"));
        problem["reason"].as_str().expect("a reason").to_owned()
    }
}
