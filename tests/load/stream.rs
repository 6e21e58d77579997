//! Bodies that are made as they are sent, and an upstream for them: `POST` answers with the hash of what came, `GET /N` with
//! N bytes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Bytes that are written or read at once.
pub const BLOCK_BYTES: usize = 64 << 10;

/// A body of any length without a block twice.
pub struct Body {
    block: Vec<u8>,
    number: u64,
    left: u64,
}

impl Body {
    pub fn new(length: u64) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let words = (0..BLOCK_BYTES / 8).flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        Self {
            block: words.collect(),
            number: 0,
            left: length,
        }
    }

    /// The next block; `None` at the end.
    pub fn next(&mut self) -> Option<&[u8]> {
        let length = BLOCK_BYTES.min(usize::try_from(self.left).unwrap());
        if length == 0 {
            return None;
        }
        self.block[..8].copy_from_slice(&self.number.to_le_bytes());
        self.number += 1;
        self.left -= length as u64;
        Some(&self.block[..length])
    }
}

/// Starts the upstream. Its threads end with the process.
pub fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
    address
}

/// One request, one answer. A gateway that is gone ends it.
fn serve(stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::with_capacity(BLOCK_BYTES, stream.try_clone().ok()?);
    let mut writer = stream;
    let head = read_head(&mut reader)?;
    let (begin, body) = if head.starts_with("POST ") {
        let hash = hash_of(&mut reader, content_length(&head))
            .to_hex()
            .to_string();
        (hash.len() as u64, Err(hash))
    } else {
        let length = head.split(['/', ' ']).nth(2)?.parse().ok()?;
        (length, Ok(Body::new(length)))
    };
    write!(
        writer,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {begin}\r\n\r\n"
    )
    .ok()?;
    match body {
        Err(hash) => writer.write_all(hash.as_bytes()).ok()?,
        Ok(mut body) => {
            while let Some(block) = body.next() {
                writer.write_all(block).ok()?;
            }
        }
    }
    Some(())
}

/// Reads a head, to its empty line.
pub fn read_head(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let came = reader.read_line(&mut head).ok()?;
        (came > 0).then_some(())?;
    }
    Some(head)
}

pub fn content_length(head: &str) -> u64 {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.expect("a length").1.parse().unwrap()
}

/// Reads `length` bytes.
fn hash_of(reader: &mut BufReader<TcpStream>, length: u64) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0; BLOCK_BYTES];
    let mut left = length;
    while left > 0 {
        let most = BLOCK_BYTES.min(usize::try_from(left).unwrap());
        let came = reader.read(&mut block[..most]).unwrap();
        assert!(came > 0, "the body ended {left} bytes early");
        hasher.update(&block[..came]);
        left -= came as u64;
    }
    hasher.finalize()
}
