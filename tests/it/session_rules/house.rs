//! A gateway with sessions on short terms: access tokens of 60 s, 4 s of grace, 60 s for a lost reply, 30 s idle, 120 s in all.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tollgate::token::{Algorithm, SigningKey};

use super::clock::TestClock;
use super::service::IdentityService;
use crate::support::{Answer, Client, Gateway, Upstream};

pub const ORIGIN: &str = "https://app.example.com";
pub const FORM: &str = "application/x-www-form-urlencoded";

pub struct House {
    pub gateway: Gateway,
    pub upstream: Upstream,
    pub service: IdentityService,
    pub clock: TestClock,
    /// The private half of the client `partner`.
    pub partner: SigningKey,
    /// The gate's own signing key, as if it were stolen.
    pub signing: SigningKey,
    /// Where the clock's library lies.
    _folder: tempfile::TempDir,
}

pub fn house() -> House {
    House::with(|config| config)
}

impl House {
    /// A house whose configuration was changed.
    pub fn with(change: impl FnOnce(String) -> String) -> Self {
        let (upstream, service) = (Upstream::start(), IdentityService::start());
        service.answers(
            "/login",
            200,
            &json!({ "subject": "u_1", "products": ["crm"], "scope": "crm.read" }),
        );
        let [(signing_pem, signing), (second_pem, _), (_, partner)] = [(); 3].map(|()| {
            let pem = SigningKey::generate_pem(Algorithm::Es256).unwrap();
            let key = SigningKey::from_pem(&pem).unwrap();
            (String::from_utf8(pem.expose().to_vec()).unwrap(), key)
        });
        let folder = tempfile::tempdir().unwrap();
        let clock = TestClock::new(folder.path());
        let jwks = json!({ "keys": [partner.public_jwk()] }).to_string();
        let config = CONFIG
            .replace("UPSTREAM", &upstream.address.to_string())
            .replace("SERVICE", &service.address.to_string());
        let files = [
            ("sign.pem", signing_pem.as_str()),
            ("second.pem", second_pem.as_str()),
            ("refresh.key", REFRESH_KEY),
            ("partner.jwks.json", jwks.as_str()),
        ];
        let gateway = Gateway::start_with(&change(config), &files, clock.variables());
        Self {
            gateway,
            upstream,
            service,
            clock,
            partner,
            signing,
            _folder: folder,
        }
    }

    /// Lets time pass, in steps that no gateway takes for somebody setting its clock.
    pub fn wait(&self, seconds: u64) {
        let mut left = seconds;
        while left > 0 {
            let step = left.min(240);
            self.clock.shift(step.cast_signed());
            let answer = self.form("/oauth/token", "grant_type=nothing");
            assert_ne!(answer.status, 503, "the gateway has seen the step");
            left -= step;
        }
    }

    pub fn restart(&mut self) {
        self.gateway.kill();
        self.gateway.spawn();
    }

    pub fn send(&self, method: &str, path: &str, fields: &[&str], body: &str) -> Answer {
        let mut client = self.gateway.client();
        send(&mut client, method, path, fields, body);
        client.answer_to(method).expect("an answer")
    }

    pub fn form(&self, path: &str, body: &str) -> Answer {
        let kind = format!("Content-Type: {FORM}");
        self.send("POST", path, &[&kind], body)
    }

    /// The answer to a login of the client `mobile`.
    pub fn try_login(&self) -> Answer {
        let fields = ["Content-Type: application/json"];
        self.send("POST", "/auth/login", &fields, r#"{"client_id":"mobile"}"#)
    }

    pub fn login(&self) -> Tokens {
        Tokens::of(&self.try_login())
    }

    pub fn refresh(&self, token: &str) -> Answer {
        self.refresh_from(token, "the same device")
    }

    pub fn refresh_from(&self, token: &str, agent: &str) -> Answer {
        let body = format!("grant_type=refresh_token&client_id=mobile&refresh_token={token}");
        let fields = [
            &*format!("Content-Type: {FORM}"),
            &*format!("User-Agent: {agent}"),
        ];
        self.send("POST", "/oauth/token", &fields, &body)
    }

    pub fn rotated(&self, token: &str) -> Tokens {
        Tokens::of(&self.refresh(token))
    }

    /// A call of the web client's page.
    pub fn web(&self, path: &str, cookie: Option<&str>, more: &[&str]) -> Answer {
        let cookie = cookie.map(|cookie| format!("Cookie: {cookie}"));
        let mut fields = vec![
            "X-Client-Id: web",
            "Origin: https://app.example.com",
            "X-Tollgate-CSRF: 1",
            "Content-Type: application/json",
        ];
        fields.extend(cookie.as_deref());
        fields.extend(more);
        self.send("POST", path, &fields, "{}")
    }

    pub fn bearer(&self, method: &str, path: &str, token: &str) -> Answer {
        let bearer = format!("Authorization: Bearer {token}");
        let body = "{}";
        let fields = [&*bearer, "Content-Type: application/json"];
        self.send(
            method,
            path,
            &fields,
            if method == "POST" { body } else { "" },
        )
    }

    /// The status of a call to the API.
    pub fn api(&self, access: &str) -> u16 {
        self.bearer("GET", "/crm/x", access).status
    }

    /// That a token is refused within a second from now.
    pub fn dies(&self, access: &str) {
        let deadline = Instant::now() + Duration::from_secs(1);
        while self.api(access) != 401 {
            assert!(Instant::now() < deadline, "it counts a second later");
        }
    }

    pub fn jwks(&self) -> Answer {
        let answer = self.gateway.get("/.well-known/jwks.json", &[]);
        assert_eq!(answer.status, 200);
        answer
    }

    /// An assertion of the client `partner` with `changes` laid over its claims, as parameters of a form.
    pub fn assertion(&self, id: &str, changes: Value) -> String {
        let now = self.clock.now();
        let mut claims = json!({
            "iss": "partner", "sub": "partner", "aud": "https://auth.example.com",
            "iat": now, "exp": now + 60, "jti": id,
        });
        for (name, value) in changes.as_object().expect("an object of changes") {
            claims[name] = value.clone();
        }
        proof(&self.partner.sign("JWT", &claims))
    }

    /// Runs the command line against this configuration.
    pub fn tollgate(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(arguments).arg("--config");
        command.arg(self.gateway.config_path());
        command.envs(self.clock.variables());
        command.output().unwrap()
    }
}

/// An assertion as parameters of a form.
pub fn proof(assertion: &str) -> String {
    format!(
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
    )
}

pub fn send(client: &mut Client, method: &str, path: &str, fields: &[&str], body: &str) {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    client.send(format!(
        "{method} {path} HTTP/1.1\r\nHost: auth.example.com\r\n{fields}Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
}

/// What a login or a refresh gave to a client whose tokens travel in bodies.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub body: Value,
}

impl Tokens {
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}: {:?}", answer.text());
        let body = answer.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Self {
            access: text("access_token"),
            refresh: text("refresh_token"),
            body,
        }
    }
}

/// Header (0) or claims (1) of a token, unverified.
pub fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).expect("three parts");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn claims(token: &str) -> Value {
    part(token, 1)
}

/// `name=value` of the cookie that an answer sets.
pub fn cookie(answer: &Answer) -> String {
    let set = answer.field("set-cookie").expect("a cookie");
    set.split(';').next().unwrap().to_owned()
}

/// That an answer fails as RFC 6749 §5.2 has it, and is kept by nobody.
pub fn fails(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{answer:?}: {:?}", answer.text());
    assert_eq!(answer.json()["error"], error);
    assert_eq!(answer.field("cache-control"), Some("no-store"));
}

const REFRESH_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

const CONFIG: &str = r#"
[products.crm]
[products.billing]
[upstreams.app]
servers = ["UPSTREAM"]
[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "app"
[routes.billing]
path = "/billing/*"
product = "billing"
upstream = "app"
[sessions]
issuer = "https://auth.example.com"
audience = "https://api.example.com"
signing_keys = ["file:sign.pem"]
refresh_keys = ["file:refresh.key"]
access_token = { lifetime = "60s", jitter = 0.0 }
[sessions.refresh_token]
grace = "4s"
lost_reply_window = "60s"
idle_lifetime = "30s"
absolute_lifetime = "120s"
[sessions.store]
kind = "sqlite"
path = "sessions.db"
[sessions.login_hook]
url = "http://SERVICE/login"
[sessions.claims_hook]
url = "http://SERVICE/claims"
[sessions.cookie]
origins = ["https://app.example.com"]
[sessions.limits]
login = "1000/s"
refresh = "1000/s"
[sessions.clients.mobile]
type = "public"
transport = "body"
[sessions.clients.other]
type = "public"
transport = "body"
[sessions.clients.web]
type = "public"
transport = "cookie"
[sessions.clients.partner]
type = "confidential"
auth = "private_key_jwt"
jwks_file = "partner.jwks.json"
grants = ["client_credentials"]
products = ["crm"]
scopes = ["crm.read"]
"#;
