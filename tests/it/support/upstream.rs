//! An HTTP/1.1 upstream that records the exact bytes of every request, and answers with what it recorded.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A recording upstream on a port of its own. Its threads end with the process.
pub struct Upstream {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Upstream {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let recorded = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let recorded = recorded.clone();
                std::thread::spawn(move || serve(stream.unwrap(), &recorded));
            }
        });
        Self { address, requests }
    }

    /// Every request so far, head and body as they came.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    /// The last request.
    pub fn last(&self) -> String {
        self.requests().pop().expect("the upstream was asked")
    }

    pub fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn serve(mut stream: TcpStream, recorded: &Mutex<Vec<Vec<u8>>>) {
    let mut unread = Vec::new();
    loop {
        let Some(request) = read_request(&mut stream, &mut unread) else {
            return;
        };
        let text = String::from_utf8_lossy(&request).into_owned();
        recorded.lock().unwrap().push(request);
        let body = if text.starts_with("HEAD ") {
            ""
        } else {
            "hello from the upstream\n"
        };
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 24\r\nX-Upstream: yes\r\n\
             X-Identity-Subject: forged by the upstream\r\n\r\n{body}"
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request of a connection, head and body as they came; `None` when there is none.
pub fn read_request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        fill(stream, unread)?;
    };
    let head = String::from_utf8_lossy(&unread[..end]).to_ascii_lowercase();
    let length = head
        .split("\r\n")
        .find_map(|line| line.strip_prefix("content-length:"));
    let end = match length {
        Some(length) => end + length.trim().parse::<usize>().expect("a length"),
        None if head.contains("\r\ntransfer-encoding: chunked\r\n") => loop {
            if let Some(length) = chunked_length(&unread[end..]) {
                break end + length;
            }
            fill(stream, unread)?;
        },
        None => end,
    };
    while unread.len() < end {
        fill(stream, unread)?;
    }
    Some(unread.drain(..end).collect())
}

/// How many bytes a chunked body takes with its trailers; `None` while its end is still to come.
fn chunked_length(bytes: &[u8]) -> Option<usize> {
    let line_end = |at: usize| {
        let line = bytes.get(at..)?.windows(2);
        line.into_iter().position(|two| two == b"\r\n")
    };
    let mut at = 0;
    loop {
        let digits = line_end(at)?;
        let size = std::str::from_utf8(&bytes[at..at + digits]).expect("a size without extension");
        let size = usize::from_str_radix(size, 16).expect("a chunk size");
        at += digits + 2;
        if size == 0 {
            break;
        }
        at += size + 2;
    }
    loop {
        let trailer = line_end(at)?;
        at += trailer + 2;
        if trailer == 0 {
            return Some(at);
        }
    }
}

fn fill(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 16 * 1024];
    let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
    unread.extend_from_slice(&buffer[..length]);
    Some(())
}
