//! A provider of keys that does what a test tells it to, on a real socket.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What the provider does with a request.
#[derive(Clone)]
pub(super) enum Answer {
    /// Sends a document, with an entity tag that it understands.
    Document(String),
    /// Sends these bytes and closes.
    Raw(String),
    /// Sends a document that does not end.
    Endless,
    /// Sends a document once it may.
    Held(Arc<Notify>, String),
    /// Accepts the connection and says nothing.
    Silence,
}

/// A provider; gone when it is dropped.
pub(super) struct Provider {
    pub(super) address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Provider {
    pub(super) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(answer));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (answers, seen) = (answer.clone(), heads.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (answers, seen) = (answers.clone(), seen.clone());
                tokio::spawn(serve(stream, answers, seen));
            }
        });
        Self {
            address,
            answer,
            heads,
            task,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/jwks", self.address)
    }

    pub(super) fn answer(&self, answer: Answer) -> Answer {
        std::mem::replace(&mut self.answer.lock().unwrap(), answer)
    }

    /// The heads of all requests until now.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub(super) fn requests(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: Arc<Mutex<Answer>>,
    seen: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    seen.lock().unwrap().push(head.clone());
    let answer = answers.lock().unwrap().clone();
    match answer {
        Answer::Document(document) => {
            let tag = format!("\"{}\"", blake3::hash(document.as_bytes()));
            let known = head.contains(&format!("if-none-match: {tag}"));
            let reply = if known {
                format!("HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\nConnection: close\r\n\r\n")
            } else {
                format!(
                    "HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{document}",
                    document.len()
                )
            };
            stream.write_all(reply.as_bytes()).await.ok()
        }
        Answer::Raw(reply) => stream.write_all(reply.as_bytes()).await.ok(),
        Answer::Held(may, document) => {
            may.notified().await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", document.len());
            let reply = format!("{head}Connection: close\r\n\r\n{document}");
            stream.write_all(reply.as_bytes()).await.ok()
        }
        Answer::Endless => {
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"keys\": [";
            stream.write_all(head.as_bytes()).await.ok()?;
            loop {
                stream.write_all(&[b' '; 65_536]).await.ok()?;
            }
        }
        Answer::Silence => {
            let _ = stream.read_u8().await;
            Some(())
        }
    }
}
