//! A clear-text connection from its first byte: which protocol, then head, body, head, body, for as long as the next byte
//! is sure to begin a request. The same bytes in any pieces say the same and end alike. The first byte chooses the pieces.

use tollgate::wire::body::{BodyError, BodyReader, Piece, trailer_fields};
use tollgate::wire::head::{Framing, HeadError, HeadLimits, HeadScanner, read_request};
use tollgate::wire::preface::Preface;

const LIMITS: HeadLimits = HeadLimits {
    bytes_max: 4 << 10,
    fields_max: 50,
};

pub(crate) fn check(bytes: &[u8]) {
    let Some((seed, input)) = bytes.split_first() else {
        return;
    };
    let whole = read(input, || usize::MAX);
    assert_eq!(read(input, || 1), whole);
    let mut chance = u64::from(*seed) + 1;
    let uneven = || {
        // xorshift64: every seed gives other pieces, the same each time.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        1 + (chance % 61) as usize
    };
    assert_eq!(read(input, uneven), whole);
    assert!(whole.0.len() <= input.len());
}

/// Everything that a connection said, and why nothing more was read from it.
fn read(input: &[u8], mut next_length: impl FnMut() -> usize) -> (Vec<Request>, End) {
    let mut connection = Connection::new();
    let mut rest = input;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(next_length().min(rest.len()));
        rest = later;
        connection.buffer.extend_from_slice(piece);
        if let Err(end) = connection.advance() {
            return (connection.said, end);
        }
    }
    (connection.said, End::Cut)
}

/// One request, as far as it came.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    method: String,
    target: String,
    fields: Vec<(String, Vec<u8>)>,
    framing: Framing,
    expects_continue: bool,
    content: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
}

/// Why a connection is not read any further.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// It speaks HTTP/2.
    Http2,
    /// Behind the last request may come what is none.
    Closes,
    Head(HeadError),
    Body(BodyError),
    /// The input was over in the middle, or between two requests.
    Cut,
}

/// What comes next.
enum State {
    Preface,
    Head(HeadScanner),
    Body(BodyReader),
}

struct Connection {
    buffer: Vec<u8>,
    state: State,
    /// Whether another request may follow the present one.
    goes_on: bool,
    said: Vec<Request>,
}

impl Connection {
    fn new() -> Self {
        Self {
            buffer: Vec::new(),
            state: State::Preface,
            goes_on: true,
            said: Vec::new(),
        }
    }

    /// Reads what came, until more is needed.
    fn advance(&mut self) -> Result<(), End> {
        loop {
            let goes_on = match &mut self.state {
                State::Preface => match Preface::of(&self.buffer) {
                    Preface::Http2 => return Err(End::Http2),
                    Preface::NeedMore => false,
                    Preface::Http1 => {
                        self.state = State::Head(HeadScanner::request());
                        true
                    }
                },
                State::Head(_) => self.head()?,
                State::Body(_) => self.body()?,
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    fn head(&mut self) -> Result<bool, End> {
        let State::Head(scanner) = &mut self.state else {
            return Ok(false);
        };
        let found = scanner.find(&self.buffer, LIMITS.bytes_max);
        let Some(end) = found.map_err(End::Head)? else {
            return Ok(false);
        };
        let bytes: Vec<u8> = self.buffer.drain(..end).collect();
        let head = read_request(&bytes, LIMITS).map_err(End::Head)?;
        let names_upgrade = |name: &str| name.eq_ignore_ascii_case("upgrade");
        let switches = head.fields.iter().any(|field| names_upgrade(field.name));
        self.goes_on = head.keep_alive && !switches;
        self.state = State::Body(BodyReader::new(head.framing));
        self.said.push(Request {
            method: head.method.to_owned(),
            target: head.target.to_owned(),
            fields: head.fields.iter().map(own).collect(),
            framing: head.framing,
            expects_continue: head.expects_continue,
            content: Vec::new(),
            trailers: Vec::new(),
        });
        Ok(true)
    }

    fn body(&mut self) -> Result<bool, End> {
        let (State::Body(reader), Some(request)) = (&mut self.state, self.said.last_mut()) else {
            return Ok(false);
        };
        let consumed = match reader.read(&self.buffer).map_err(End::Body)? {
            Piece::More { consumed } => {
                self.buffer.drain(..consumed);
                return Ok(false);
            }
            Piece::Data { content, consumed } => {
                assert!(!content.is_empty() && content.end <= consumed);
                request.content.extend_from_slice(&self.buffer[content]);
                consumed
            }
            Piece::End { consumed, trailers } => {
                let fields = trailer_fields(&self.buffer[trailers]).map_err(End::Body)?;
                request.trailers = fields.iter().map(own).collect();
                if !self.goes_on {
                    return Err(End::Closes);
                }
                self.state = State::Head(HeadScanner::request());
                consumed
            }
        };
        self.buffer.drain(..consumed);
        Ok(true)
    }
}

fn own(field: &tollgate::wire::Field<'_>) -> (String, Vec<u8>) {
    (field.name.to_owned(), field.value.to_vec())
}
