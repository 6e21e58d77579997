//! A gateway with `[sessions]`, the identity service that it asks, and what a client says to it.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tollgate::token::{Algorithm, SigningKey};

use crate::support::{Answer, Gateway, Upstream, read_request};

/// The gateway, with the clients `mobile` and `web` of users, `backend` with a secret and `partner` with a key.
pub(super) struct House {
    pub(super) gateway: Gateway,
    _upstream: Upstream,
}

/// The secret of the client `backend`; the drivers beside the tests know it too.
pub(super) const SECRET: &str = "secret-of-backend-0123456789abcdef";
/// Where the private key of the client `partner` lies in the gateway's folder.
const PARTNER_KEY: &str = "partner.pem";

impl House {
    pub(super) fn start() -> Self {
        Self::with(|config| config)
    }

    /// A gateway whose configuration was changed before it began. `ADDRESS` stands for the public listener's.
    pub(super) fn with(change: impl FnOnce(String) -> String) -> Self {
        Self::furnished(&[], change)
    }

    /// The same with more files in its folder.
    pub(super) fn furnished(more: &[(&str, &str)], change: impl FnOnce(String) -> String) -> Self {
        let upstream = Upstream::start();
        let secret = digest(&SHA256, SECRET.as_bytes());
        let secret: String = secret.as_ref().iter().map(hex).collect();
        let config = CONFIG
            .replace("UPSTREAM", &upstream.address.to_string())
            .replace("HOOK", &identity_service().to_string())
            .replace("SECRET_SHA256", &secret);
        let (sign, _) = key();
        let (partner, partner_key) = key();
        let partner_keys = json!({ "keys": [partner_key.public_jwk()] }).to_string();
        let files = [
            ("sign.pem", sign.as_str()),
            ("refresh.key", REFRESH_KEY),
            (PARTNER_KEY, &partner),
            ("partner.jwks.json", &partner_keys),
        ];
        let files = [&files, more].concat();
        Self {
            gateway: Gateway::start(&change(config), &files),
            _upstream: upstream,
        }
    }

    pub(super) fn partner_key(&self) -> PathBuf {
        self.gateway.folder.path().join(PARTNER_KEY)
    }

    pub(super) fn post(&self, path: &str, fields: &[&str], kind: &str, body: &str) -> Answer {
        let mut client = self.gateway.client();
        client.send(post(path, fields, kind, body));
        client.answer_to("POST").expect("an answer")
    }

    pub(super) fn login(&self) -> Value {
        self.login_of("u_1")
    }

    pub(super) fn login_of(&self, user: &str) -> Value {
        let mut client = self.gateway.client();
        client.send(login(user));
        let answer = client.answer_to("POST").expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        answer.json()
    }

    pub(super) fn refresh(&self, token: &str) -> Answer {
        let mut client = self.gateway.client();
        client.send(refresh(token));
        client.answer_to("POST").expect("an answer")
    }

    pub(super) fn api(&self, access: &str) -> u16 {
        self.gateway
            .get("/crm/x", &[&format!("Authorization: Bearer {access}")])
            .status
    }

    /// How often something happened to sessions since the gateway started.
    pub(super) fn events(&self, event: &str) -> u32 {
        let label = format!("event=\"{event}\"");
        self.gateway.metric("tollgate_sessions_total", &[&label]) as u32
    }
}

/// A POST with `fields`, each a whole line without its end.
pub(super) fn post(path: &str, fields: &[&str], kind: &str, body: &str) -> String {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    format!(
        "POST {path} HTTP/1.1\r\nHost: auth.example.com\r\n{fields}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The login of a user by the client `mobile`.
pub(super) fn login(user: &str) -> String {
    let body = json!({ "user": user }).to_string();
    let client = ["X-Client-Id: mobile"];
    post("/auth/login", &client, "application/json", &body)
}

/// A refresh by the client `mobile`.
pub(super) fn refresh(token: &str) -> String {
    let body = format!("grant_type=refresh_token&client_id=mobile&refresh_token={token}");
    post("/oauth/token", &[], FORM, &body)
}

pub(super) fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {tokens}"))
}

/// The claims of an access token, unverified.
pub(super) fn claims(access: &str) -> Value {
    let claims = access.split('.').nth(1).expect("three parts");
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    serde_json::from_slice(&claims).expect("JSON")
}

/// Knows whoever comes by the name that the body gives, and lets everybody have the same.
fn identity_service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || vouch(stream));
        }
    });
    address
}

fn vouch(mut stream: TcpStream) {
    let Some(request) = read_request(&mut stream, &mut Vec::new()) else {
        return;
    };
    let request = String::from_utf8_lossy(&request);
    let asked: Value = request
        .split_once("\r\n\r\n")
        .and_then(|(_, body)| serde_json::from_str(body).ok())
        .unwrap_or_default();
    let subject = asked["user"].as_str().unwrap_or("u_1");
    let said = json!({ "subject": subject, "products": ["crm"], "scope": "crm.read" }).to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
        said.len()
    );
    let _gone_already = stream.write_all(answer.as_bytes());
}

fn key() -> (String, SigningKey) {
    let pem = SigningKey::generate_pem(Algorithm::Es256).unwrap();
    let text = std::str::from_utf8(pem.expose()).unwrap().to_owned();
    (text, SigningKey::from_pem(&pem).unwrap())
}

fn hex(byte: &u8) -> String {
    format!("{byte:02x}")
}

pub(super) const FORM: &str = "application/x-www-form-urlencoded";
const REFRESH_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const CONFIG: &str = r#"
[listeners.public]
address = "ADDRESS"
[products.crm]
[upstreams.app]
servers = ["UPSTREAM"]
[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "app"
[sessions]
issuer = "https://auth.example.com"
audience = "https://api.example.com"
signing_keys = ["file:sign.pem"]
refresh_keys = ["file:refresh.key"]
[sessions.store]
kind = "sqlite"
path = "sessions.db"
[sessions.login_hook]
url = "http://HOOK/login"
[sessions.cookie]
origins = ["https://app.example.com"]
[sessions.limits]
login = "100000/s"
refresh = "100000/s"
[sessions.clients.mobile]
type = "public"
transport = "body"
[sessions.clients.web]
type = "public"
transport = "cookie"
[sessions.clients.backend]
type = "confidential"
auth = "secret"
secret_sha256 = "SECRET_SHA256"
grants = ["refresh_token", "client_credentials"]
products = ["crm"]
scopes = ["crm.read"]
[sessions.clients.partner]
type = "confidential"
auth = "private_key_jwt"
jwks_file = "partner.jwks.json"
grants = ["client_credentials"]
products = ["crm"]
scopes = ["crm.read"]
"#;
