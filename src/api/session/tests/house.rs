//! A session side to call: its configuration, its clock, its stub service.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;

use super::service::IdentityService;
use crate::api::session::{Caller, Kept, SessionApi, Surroundings};
use crate::config::{Config, Files, SessionPaths, check};
use crate::control::HookClients;
use crate::gate::RequestId;
use crate::secret::Secret;
use crate::session::{Event, Observer, Occasion, Revocations};
use crate::store::{self, Store};
use crate::time::{Clock, SetClock, Timestamp};
use crate::token::{Algorithm, SigningKey};

pub(super) const ORIGIN: &str = "https://app.example.com";

pub(super) struct House {
    pub(super) api: SessionApi,
    pub(super) config: Arc<Config>,
    pub(super) service: IdentityService,
    pub(super) revocations: Arc<Revocations>,
    pub(super) events: Arc<Events>,
    pub(super) partner: SigningKey,
    clock: Arc<SetClock>,
    around: Surroundings,
}

#[derive(Default)]
pub(super) struct Events(Mutex<Vec<(Event, Option<&'static str>)>>);

impl Events {
    pub(super) fn has(&self, event: Event) -> bool {
        let told = self.0.lock().unwrap();
        told.iter().any(|(known, _)| *known == event)
    }

    /// The last event, and why the session was dead.
    pub(super) fn last(&self) -> Option<(Event, Option<&'static str>)> {
        self.0.lock().unwrap().last().copied()
    }
}

impl Observer for Events {
    fn session(&self, event: Event, occasion: &Occasion<'_>) {
        self.0.lock().unwrap().push((event, occasion.why));
    }
    fn store(&self, _: &'static str, _: Duration) {}
    fn revocations(&self, _: usize, _: Duration) {}
}

struct Disk {
    partner_jwks: Vec<u8>,
    signing: Vec<u8>,
}

impl Files for Disk {
    fn env(&self, _: &str) -> Result<Secret, String> {
        Ok(Secret::new(vec![b'x'; 64]))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Ok(match path.to_str() {
            Some("sign.pem") => self.signing.clone(),
            Some("partner.jwks.json") => self.partner_jwks.clone(),
            _ => vec![b'7'; 64],
        })
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

impl House {
    pub(super) async fn build() -> Self {
        Self::of(TEXT).await
    }

    /// A house whose configuration says more.
    pub(super) async fn with(more: &str) -> Self {
        Self::of(&[TEXT, more].concat()).await
    }

    /// A house with a configuration of its own.
    pub(super) async fn of(text: &str) -> Self {
        // Whoever starts the process does so once; here each test may be the first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let service = IdentityService::start().await;
        service.answers(
            200,
            r#"{"subject":"u_1","products":["crm"],"scope":"api read"}"#,
        );
        let pem = SigningKey::generate_pem(Algorithm::Es256).unwrap();
        let partner_pem = SigningKey::generate_pem(Algorithm::Es256).unwrap();
        let partner = SigningKey::from_pem(&partner_pem).unwrap();
        let jwks = serde_json::json!({ "keys": [partner.public_jwk()] });
        let files = Disk {
            partner_jwks: jwks.to_string().into_bytes(),
            signing: pem.expose().to_vec(),
        };
        let text = text.replace("SERVICE", &service.address);
        let (config, _) = check(&text, &files).unwrap_or_else(|faults| {
            let said = faults.iter().map(|fault| format!("{fault:?}\n"));
            panic!("{}", said.collect::<String>())
        });
        let config = Arc::new(config);
        let clock = Arc::new(SetClock::at(Timestamp::from_secs(1_700_000_000)));
        let (revocations, events) = (
            Arc::new(Revocations::default()),
            Arc::new(Events::default()),
        );
        let around = store::Surroundings {
            revocations: revocations.clone(),
            clock: clock.clone(),
            observer: events.clone(),
        };
        let sessions = config.sessions.as_ref().unwrap();
        let around = Surroundings {
            store: Arc::new(Store::open(&sessions.store, around).unwrap()),
            revocations: revocations.clone(),
            clock: clock.clone(),
            observer: events.clone(),
            kept: Kept::default(),
        };
        Self {
            api: session_side(&config, &around),
            config,
            service,
            revocations,
            events,
            partner,
            clock,
            around,
        }
    }

    /// Another configuration serves that says the same.
    pub(super) fn reload(&mut self) {
        self.api = session_side(&self.config, &self.around);
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// From now on the identity service thinks for so long.
    pub(super) fn ponder(&self, seconds: u64) {
        self.service
            .takes(&self.clock, Duration::from_secs(seconds));
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.send_from("192.0.2.7", method, path, fields, body)
            .await
    }

    pub(super) async fn send_from(
        &self,
        address: &str,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::from(body.to_owned())).unwrap();
        let endpoint = SessionPaths::of("").find(path).expect("a session endpoint");
        let request_id = RequestId::fresh(7);
        let from = Caller {
            address: address.parse().unwrap(),
            request_id: &request_id,
        };
        Answer(self.api.answer(endpoint, request, from).await)
    }

    pub(super) async fn form(&self, path: &str, body: &str) -> Answer {
        let fields = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &fields, body).await
    }

    pub(super) async fn login(&self) -> Answer {
        let body = r#"{"client_id":"mobile","user":"ada","password":"x"}"#;
        let fields = [("content-type", "application/json")];
        self.send("POST", "/auth/login", &fields, body).await
    }

    pub(super) async fn web_login(&self) -> Answer {
        let fields = [
            ("content-type", "application/json"),
            ("origin", ORIGIN),
            ("x-tollgate-csrf", "1"),
        ];
        let body = r#"{"client_id":"web"}"#;
        self.send("POST", "/auth/login", &fields, body).await
    }

    pub(super) async fn refresh(&self, token: &str) -> Answer {
        let body = format!("grant_type=refresh_token&client_id=mobile&refresh_token={token}");
        self.form("/oauth/token", &body).await
    }

    pub(super) async fn web_refresh(&self, cookie: &str) -> Answer {
        let fields = [
            ("cookie", cookie),
            ("origin", ORIGIN),
            ("x-tollgate-csrf", "1"),
        ];
        self.send("POST", "/auth/refresh", &fields, "").await
    }

    pub(super) async fn with_bearer(&self, method: &str, path: &str, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.send(method, path, &[("authorization", &bearer)], "")
            .await
    }

    /// Whether an access token still counts.
    pub(super) async fn counts(&self, token: &str) -> bool {
        self.with_bearer("GET", "/auth/sessions", token)
            .await
            .status()
            == 200
    }
}

fn session_side(config: &Arc<Config>, around: &Surroundings) -> SessionApi {
    let hooks = HookClients::new(config).unwrap();
    SessionApi::new(config, hooks, around.clone()).unwrap()
}

pub(super) struct Answer(Response<Bytes>);

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(self.0.body()).unwrap()
    }

    pub(super) fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.0
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    }

    /// `name=value` of the cookie that is set.
    pub(super) fn cookie(&self) -> String {
        let set = self.field("set-cookie").unwrap();
        set.split(';').next().unwrap().to_owned()
    }

    pub(super) fn fails(&self, status: u16, error: &str) {
        assert_eq!(
            (self.status(), self.text("error").as_str()),
            (status, error)
        );
        assert_eq!(self.field("cache-control"), Some("no-store"));
    }
}

pub(super) const TEXT: &str = r#"
[listeners.public]
address = "127.0.0.1:0"

[sessions]
issuer = "https://auth.example.com"
audience = "https://api.example.com"
signing_keys = ["file:sign.pem"]
refresh_keys = ["file:refresh.key"]
refresh_token = { grace = "4s", lost_reply_window = "60s", idle_lifetime = "30s", absolute_lifetime = "120s" }

[sessions.store]
kind = "memory"

[sessions.login_hook]
url = "http://SERVICE/login"
secret = "env:HOOK_SECRET"

[sessions.claims_hook]
url = "http://SERVICE/claims"
stale_ok = "10s"

[sessions.cookie]
origins = ["https://app.example.com"]

[sessions.clients.web]
type = "public"
transport = "cookie"

[sessions.clients.mobile]
type = "public"
transport = "body"

[sessions.clients.server]
type = "confidential"
auth = "secret"
secret_sha256 = "9f8d64548d1cc8998fda325455aeed22304c742eef4f74cf9f92eb3a7dcfa7df"
transport = "cookie"

[sessions.clients.batch]
type = "confidential"
auth = "secret"
secret_sha256 = "9f8d64548d1cc8998fda325455aeed22304c742eef4f74cf9f92eb3a7dcfa7df"
transport = "cookie"
grants = ["client_credentials"]

[sessions.clients.partner]
type = "confidential"
auth = "private_key_jwt"
jwks_file = "partner.jwks.json"
grants = ["client_credentials"]
products = ["crm"]
scopes = ["crm.read", "crm.write"]

[products.crm]

[upstreams.crm]
servers = ["127.0.0.1:9101"]

[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "crm"
"#;
