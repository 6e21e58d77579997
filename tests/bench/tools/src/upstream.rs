//! Answers every GET with 200 and 1 KiB, kept alive, on one thread. Reads nothing of a request but its end.
//! Usage: upstream LISTEN

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Result, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const BODY_BYTES: usize = 1024;
const LISTENER: Token = Token(usize::MAX);
const END: &[u8] = b"\r\n\r\n";

struct Client {
    stream: TcpStream,
    /// How much of [`END`] was seen last.
    matched: usize,
}

fn main() -> Result<()> {
    let listen = std::env::args().nth(1).expect("usage: upstream LISTEN");
    let mut listener = TcpListener::bind(listen.parse().expect("an address"))?;
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(512);
    let mut clients = HashMap::new();
    let mut next = 0;
    let answer = answer();
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() != LISTENER {
                if !serve(&mut clients, event.token(), &answer) {
                    clients.remove(&event.token());
                }
                continue;
            }
            while let Ok((mut stream, _)) = listener.accept() {
                stream.set_nodelay(true)?;
                let token = Token(next);
                next += 1;
                poll.registry()
                    .register(&mut stream, token, Interest::READABLE)?;
                clients.insert(token, Client { stream, matched: 0 });
            }
        }
    }
}

/// Answers what has come. False when the client is gone.
fn serve(clients: &mut HashMap<Token, Client>, token: Token, answer: &[u8]) -> bool {
    let Some(client) = clients.get_mut(&token) else {
        return false;
    };
    let mut room = [0; 16 * 1024];
    loop {
        let bytes = match client.stream.read(&mut room) {
            Ok(0) => return false,
            Ok(length) => &room[..length],
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        };
        for _ in 0..client.ends_in(bytes) {
            if client.stream.write_all(answer).is_err() {
                return false;
            }
        }
        // A short read has emptied the socket; the next bytes make an event of their own.
        if bytes.len() < room.len() {
            return true;
        }
    }
}

impl Client {
    fn ends_in(&mut self, bytes: &[u8]) -> usize {
        let mut ends = 0;
        for byte in bytes {
            self.matched = match *byte {
                byte if byte == END[self.matched] => self.matched + 1,
                b'\r' => 1,
                _ => 0,
            };
            if self.matched == END.len() {
                ends += 1;
                self.matched = 0;
            }
        }
        ends
    }
}

fn answer() -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {BODY_BYTES}\r\n\r\n"
    );
    [head.into_bytes(), vec![b'x'; BODY_BYTES]].concat()
}
