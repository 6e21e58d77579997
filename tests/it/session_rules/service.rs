//! An identity service that answers what the test wants, and remembers what it was asked.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::read_request;

/// Answers by path.
pub struct IdentityService {
    pub address: SocketAddr,
    world: Arc<Mutex<World>>,
}

#[derive(Default)]
struct World {
    answers: HashMap<String, (u16, String)>,
    asked: Vec<(String, String)>,
}

impl IdentityService {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::<Mutex<World>>::default();
        let shared = world.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = shared.clone();
                std::thread::spawn(move || serve(stream, &world));
            }
        });
        Self { address, world }
    }

    /// From now on `/login` or `/claims` is answered so.
    pub fn answers(&self, path: &str, status: u16, body: &Value) {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let mut world = self.world.lock().unwrap();
        world.answers.insert(path.to_owned(), (status, body));
    }

    /// How often a path was asked.
    pub fn count(&self, path: &str) -> usize {
        self.asked(path).len()
    }

    /// The bodies that a path was asked with.
    pub fn asked(&self, path: &str) -> Vec<String> {
        let world = self.world.lock().unwrap();
        let asked = world.asked.iter().filter(|(asked, _)| asked == path);
        asked.map(|(_, body)| body.clone()).collect()
    }
}

fn serve(mut stream: TcpStream, world: &Mutex<World>) {
    let Some(request) = read_request(&mut stream, &mut Vec::new()) else {
        return;
    };
    let text = String::from_utf8_lossy(&request).into_owned();
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = text.split_once("\r\n\r\n").unwrap_or_default().1.to_owned();
    let (status, answer) = {
        let mut world = world.lock().unwrap();
        world.asked.push((path.clone(), body));
        world
            .answers
            .get(&path)
            .cloned()
            .unwrap_or((204, String::new()))
    };
    let kind = "Content-Type: application/json\r\nConnection: close";
    let length = answer.len();
    let head = format!("HTTP/1.1 {status} Told\r\n{kind}\r\nContent-Length: {length}\r\n\r\n");
    let _gone_already = stream.write_all((head + &answer).as_bytes());
}
