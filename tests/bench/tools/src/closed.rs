//! The closed loop: each connection sends its next request when it has the answer to its last one.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::answer::{Answer, Tally};

/// Asks over so many connections until each has nothing to ask. `next` gets the number of a connection and its last answer,
/// which is empty before the first one; it puts the next request, or says that there is none.
pub fn closed(
    address: SocketAddr,
    connections: usize,
    mut next: impl FnMut(usize, &[u8], &mut Vec<u8>) -> bool,
) -> Result<Tally> {
    let mut poll = Poll::new()?;
    let mut open = Vec::new();
    for number in 0..connections {
        let mut connection = Connection::open(address)?;
        poll.registry()
            .register(&mut connection.stream, Token(number), Interest::READABLE)?;
        open.push(connection);
    }
    let mut events = Events::with_capacity(connections);
    let (mut tally, mut waiting, mut room) = (Tally::new(), 0, [0; 16 * 1024]);
    for (number, connection) in open.iter_mut().enumerate() {
        waiting += usize::from(connection.ask(number, &mut next)?);
    }
    while waiting > 0 {
        poll.poll(&mut events, Some(Duration::from_secs(10)))?;
        assert!(!events.is_empty(), "no answer for ten seconds");
        for event in &events {
            let number = event.token().0;
            let connection = &mut open[number];
            let length = match connection.stream.read(&mut room) {
                Ok(0) => panic!("the gateway closed a connection"),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            if let Some(ok) = connection.answer.take(&room[..length]) {
                tally.add(connection.sent_at, ok);
                waiting -= usize::from(!connection.ask(number, &mut next)?);
            }
        }
    }
    Ok(tally)
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Answer,
    sent_at: Instant,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            request: Vec::new(),
            answer: Answer::default(),
            sent_at: Instant::now(),
        })
    }

    /// Sends the next request; whether there was one.
    fn ask(
        &mut self,
        number: usize,
        next: &mut impl FnMut(usize, &[u8], &mut Vec<u8>) -> bool,
    ) -> Result<bool> {
        self.request.clear();
        let more = next(number, self.answer.whole(), &mut self.request);
        if more {
            self.sent_at = Instant::now();
            self.stream.write_all(&self.request)?;
        }
        Ok(more)
    }
}
