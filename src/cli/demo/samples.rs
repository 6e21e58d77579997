//! The demo's other servers: two products that tell what they were told, and an identity service that knows one user.
//! Plain blocking HTTP/1.1, one thread a connection; good enough for a demo and for nothing else.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::wire::head::{Framing, HeadLimits, Http1Request, parse_request};

const LIMITS: HeadLimits = HeadLimits {
    bytes_max: 32 * 1024,
    fields_max: 100,
};
const BODY_BYTES_MAX: u64 = 64 * 1024;
const IDLE_MAX: Duration = Duration::from_secs(120);

/// What a sample answers: status and JSON.
type Answer = (u16, Value);

/// A product: answers with the identity that it was told.
pub(super) fn product(name: &'static str) -> std::io::Result<SocketAddr> {
    serve(move |request, _body| {
        let told = request.fields.iter().filter(|field| is_told(field.name));
        let headers: Map<String, Value> = told
            .map(|field| {
                (
                    field.name.to_owned(),
                    String::from_utf8_lossy(field.value).into(),
                )
            })
            .collect();
        (
            200,
            json!({ "product": name, "path": request.target, "told": headers }),
        )
    })
}

fn is_told(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("x-") || name == "authorization" || name == "traceparent"
}

/// The identity service: `POST /login` and `POST /claims` of the session side.
pub(super) fn identity_service() -> std::io::Result<SocketAddr> {
    serve(|request, body| match request.target {
        "/login" => login(body),
        "/claims" => (204, Value::Null),
        _ => (404, json!({ "error": "not_found" })),
    })
}

/// Ada has the CRM. Her password is `demo`.
fn login(body: &[u8]) -> Answer {
    let credentials: Value = serde_json::from_slice(body).unwrap_or_default();
    if credentials["user"] == "ada" && credentials["password"] == "demo" {
        return (
            200,
            json!({ "subject": "ada", "products": ["crm"], "scope": "crm.read", "tenant": "acme" }),
        );
    }
    (
        401,
        json!({ "error": "wrong_credentials", "hint": "user ada, password demo" }),
    )
}

fn serve(
    answer: impl Fn(&Http1Request<'_>, &[u8]) -> Answer + Clone + Send + 'static,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || connection(stream, &answer));
        }
    });
    Ok(address)
}

/// Serves one connection until it ends or says something odd.
fn connection(
    mut stream: TcpStream,
    answer: &impl Fn(&Http1Request<'_>, &[u8]) -> Answer,
) -> Option<()> {
    stream.set_read_timeout(Some(IDLE_MAX)).ok()?;
    stream.set_nodelay(true).ok()?;
    let mut unread = Vec::new();
    loop {
        while length_of(&unread)?.is_none_or(|length| unread.len() < length) {
            fill(&mut stream, &mut unread)?;
        }
        let (request, head) = parse_request(&unread, LIMITS).ok()??;
        let length = length_of(&unread)??;
        let (status, json) = answer(&request, &unread[head..length]);
        drop(request);
        stream.write_all(&rendered(status, &json)).ok()?;
        unread.drain(..length);
    }
}

/// The length of the request at the beginning, head and body; `None` within: more of its head is needed.
fn length_of(unread: &[u8]) -> Option<Option<usize>> {
    let Some((request, head)) = parse_request(unread, LIMITS).ok()? else {
        return Some(None);
    };
    match request.framing {
        Framing::Empty => Some(Some(head)),
        Framing::Length(length) if length <= BODY_BYTES_MAX => Some(Some(head + length as usize)),
        Framing::Length(_) | Framing::Chunked | Framing::UntilClose => None,
    }
}

fn fill(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 4096];
    let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
    unread.extend_from_slice(&buffer[..length]);
    Some(())
}

fn rendered(status: u16, json: &Value) -> Vec<u8> {
    if status == 204 {
        return b"HTTP/1.1 204 No Content\r\n\r\n".to_vec();
    }
    let body = format!("{json:#}\n");
    let length = body.len();
    format!("HTTP/1.1 {status} Sample\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}
