//! A provider of keys that does what a test tells it to, over http or https, and remembers who asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the provider does with a request.
#[derive(Clone)]
pub enum Answer {
    /// Sends a document, whatever was asked for.
    Document(String),
    /// Sends the document of the path; 404 for others.
    Documents(Vec<(&'static str, String)>),
    /// Sends this status line with these fields, and no body.
    Head(String),
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends a document of so many bytes, without saying how many.
    Endless(usize),
    /// Takes the request and says nothing for a long time.
    Silence,
    /// Closes the connection at once, as one whose process was killed does.
    Closed,
}

/// A provider on a port of its own. Its threads end with the process.
pub struct Provider {
    pub address: SocketAddr,
    scheme: &'static str,
    answer: Arc<Mutex<Answer>>,
    heads: Arc<Mutex<Vec<String>>>,
}

/// Longer than any gateway waits.
const SILENCE: Duration = Duration::from_secs(60);

trait Socket: Read + Write {}
impl<T: Read + Write> Socket for T {}

impl Provider {
    pub fn start(answer: Answer) -> Self {
        Self::serve("http", answer, |stream| Some(Box::new(stream)))
    }

    pub fn start_tls(answer: Answer, tls: Arc<ServerConfig>) -> Self {
        Self::serve("https", answer, move |stream| {
            let session = ServerConnection::new(tls.clone()).ok()?;
            Some(Box::new(StreamOwned::new(session, stream)))
        })
    }

    fn serve(
        scheme: &'static str,
        answer: Answer,
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Socket>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let provider = Self {
            address: listener.local_addr().unwrap(),
            scheme,
            answer: Arc::new(Mutex::new(answer)),
            heads: Arc::default(),
        };
        let (answers, heads) = (provider.answer.clone(), provider.heads.clone());
        let wrap = Arc::new(wrap);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answers, heads, wrap) = (answers.clone(), heads.clone(), wrap.clone());
                std::thread::spawn(move || {
                    let _the_gateway_went = serve(wrap(stream.ok()?)?, &answers, &heads);
                    Some(())
                });
            }
        });
        provider
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub fn requests(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

fn serve(
    mut stream: Box<dyn Socket>,
    answers: &Mutex<Answer>,
    heads: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    if matches!(*answers.lock().unwrap(), Answer::Closed) {
        return Ok(());
    }
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    heads.lock().unwrap().push(head);
    let answer = answers.lock().unwrap().clone();
    match answer {
        Answer::Document(document) => stream.write_all(&whole(&document))?,
        Answer::Documents(documents) => {
            let found = documents.iter().find(|(here, _)| *here == path);
            let missing =
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let reply = found.map_or_else(|| missing.to_vec(), |(_, document)| whole(document));
            stream.write_all(&reply)?;
        }
        Answer::Head(head) => {
            let end = "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(format!("HTTP/1.1 {head}{end}").as_bytes())?;
        }
        Answer::Bytes(bytes) => stream.write_all(&bytes)?,
        Answer::Endless(length) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"keys\": [")?;
            for _ in 0..length.div_ceil(65_536) {
                stream.write_all(&[b' '; 65_536])?;
            }
        }
        Answer::Silence => std::thread::sleep(SILENCE),
        Answer::Closed => {}
    }
    stream.flush()
}

fn whole(document: &str) -> Vec<u8> {
    let length = document.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{document}")
        .into_bytes()
}
