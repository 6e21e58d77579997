//! A stub identity service on loopback: answers what it is told to, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::time::SetClock;

/// One request as it came: head and body.
pub(super) type Asked = (String, String);

pub(super) struct IdentityService {
    pub(super) address: String,
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    pause: Arc<Mutex<Pause>>,
}

/// What passes on a clock while a call is answered.
type Pause = Option<(Arc<SetClock>, Duration)>;

impl IdentityService {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = Self {
            address: listener.local_addr().unwrap().to_string(),
            answer: Arc::default(),
            asked: Arc::default(),
            pause: Arc::default(),
        };
        let (answer, asked) = (service.answer.clone(), service.asked.clone());
        let pause = service.pause.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, asked, pause) = (answer.clone(), asked.clone(), pause.clone());
                tokio::spawn(async move {
                    if let Some(request) = read(&mut stream).await {
                        asked.lock().unwrap().push(request);
                        if let Some((clock, span)) = &*pause.lock().unwrap() {
                            clock.advance(*span);
                        }
                        let (status, body) = answer.lock().unwrap().clone();
                        say(&mut stream, status, &body).await;
                    }
                });
            }
        });
        service
    }

    pub(super) fn answers(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    /// From now on each call takes so long, as this clock has it.
    pub(super) fn takes(&self, clock: &Arc<SetClock>, span: Duration) {
        *self.pause.lock().unwrap() = Some((clock.clone(), span));
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let length = name.eq_ignore_ascii_case("content-length");
            length.then(|| value.trim().parse::<usize>().unwrap())
        });
        if body.len() >= length.unwrap_or(0) {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}

async fn say(stream: &mut TcpStream, status: u16, body: &str) {
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}
