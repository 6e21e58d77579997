//! A world with a configuration of its own, a clock that a test sets, and tokens to judge.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::provider::Provider;
use crate::config::Files;
use crate::control::{
    Board, DiskFiles, Handle, IssuerStatus, Keys, Ledger, Live, StartError, Status, World,
};
use crate::gate::{Gate, Reason, Silent, Verdict};
use crate::session::Revocations;
use crate::telemetry::Telemetry;
use crate::time::{Clock, SetClock, Timestamp};
use crate::token::{Algorithm, SigningKey};
use crate::wire::{Field, RequestHead, Scheme, Version};

/// A key pair of an issuer.
pub(super) fn key() -> SigningKey {
    SigningKey::from_pem(&SigningKey::generate_pem(Algorithm::Es256).unwrap()).unwrap()
}

/// A JWKS document of `keys`.
pub(super) fn jwks(keys: &[&SigningKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
    json!({ "keys": keys }).to_string()
}

/// A folder with a configuration in it.
pub(super) struct Site {
    folder: TempDir,
    pub(super) clock: Arc<SetClock>,
}

impl Site {
    pub(super) fn new() -> Self {
        // The first test of the process installs it, the others find it there.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(SetClock::at(Timestamp::from_secs(1_790_000_000))),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes one word of the configuration.
    pub(super) fn replace(&self, from: &str, to: &str) {
        let files = DiskFiles::beside(&self.path("gateway.toml"), self.clock.now());
        let text = files.read("gateway.toml".as_ref()).unwrap();
        let text = String::from_utf8(text).unwrap().replace(from, to);
        std::fs::write(self.path("gateway.toml"), text).unwrap();
    }

    /// Writes the configuration: one issuer whose keys are at `keys` (a key of its table), and `more`.
    pub(super) fn configure(&self, keys: &str, more: &str) {
        let text = format!(
            r#"
[server]
state_dir = "state"

[listeners.public]
address = "127.0.0.1:8080"

[issuers.main]
issuer = "http://127.0.0.1/main"
audiences = ["api"]
algorithms = ["ES256"]
{keys}

[upstreams.app]
servers = ["127.0.0.1:9101"]

[routes.app]
path = "/app"
access = "authenticated"
upstream = "app"
{more}
"#
        );
        std::fs::write(self.path("gateway.toml"), text).unwrap();
    }

    fn telemetry(&self) -> Arc<Telemetry> {
        Arc::new(Telemetry::start(self.clock.clone(), [0; 32]).unwrap())
    }

    async fn start(&self, telemetry: &Arc<Telemetry>) -> Result<World, StartError> {
        let path = self.path("gateway.toml");
        World::start(path, self.clock.clone(), telemetry.clone()).await
    }

    /// Why the world does not start.
    pub(super) async fn refused(&self) -> String {
        let telemetry = self.telemetry();
        self.start(&telemetry).await.unwrap_err().to_string()
    }

    /// Starts the world and drives it.
    pub(super) async fn open(&self) -> House {
        let telemetry = self.telemetry();
        let world = self.start(&telemetry).await;
        let world = world.unwrap_or_else(|error| panic!("{error}"));
        world.keep().await;
        let (close, closed) = oneshot::channel::<()>();
        House {
            gate: world.gate(),
            keys: world.keys(),
            board: world.board(),
            ledger: world.ledger(),
            handle: world.handle(),
            clock: self.clock.clone(),
            telemetry,
            close,
            driver: tokio::spawn(world.run(async {
                let _ = closed.await;
            })),
        }
    }
}

/// A running world.
pub(super) struct House {
    pub(super) gate: Arc<Live<Gate>>,
    pub(super) keys: Arc<Keys>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) handle: Handle,
    pub(super) telemetry: Arc<Telemetry>,
    board: Arc<Board>,
    clock: Arc<SetClock>,
    close: oneshot::Sender<()>,
    driver: JoinHandle<()>,
}

impl House {
    pub(super) async fn close(self) {
        self.close.send(()).unwrap();
        self.driver.await.unwrap();
    }

    pub(super) fn status(&self) -> Status {
        self.board.status(self.clock.now())
    }

    pub(super) fn issuer(&self) -> IssuerStatus {
        let mut issuers = self.status().issuers;
        issuers.retain(|issuer| issuer.name == "main");
        issuers.remove(0)
    }

    /// A token of the issuer that lives for ten minutes.
    pub(super) fn token(&self, key: &SigningKey) -> String {
        let now = self.clock.now().as_secs();
        let claims = json!({
            "iss": "http://127.0.0.1/main", "aud": "api", "sub": "s", "iat": now, "exp": now + 600
        });
        key.sign("at+jwt", &claims)
    }

    /// Why the gate of this moment refuses a token of `key`; `None`: it does not.
    pub(super) fn judge(&self, key: &SigningKey) -> Option<Reason> {
        judge(&self.gate.load(), &self.token(key), self.clock.now())
    }
}

/// Why `gate` refuses `token`; `None`: it does not.
pub(super) fn judge(gate: &Gate, token: &str, now: Timestamp) -> Option<Reason> {
    let authorization = format!("Bearer {token}");
    let field = |name, value: &'static str| Field {
        name,
        value: value.as_bytes(),
    };
    let head = RequestHead {
        version: Version::Http11,
        scheme: Scheme::Http,
        method: "GET",
        target: "/app",
        authority: None,
        fields: &[
            field("Host", "a.example"),
            Field {
                name: "Authorization",
                value: authorization.as_bytes(),
            },
        ],
    };
    match gate.admit(&head, &Revocations::default(), now, &mut Silent) {
        Verdict::Refuse(refusal) => Some(refusal.reason),
        Verdict::Forward(_) | Verdict::Answer(_) => None,
    }
}

/// The keys of `provider`, refreshed as often as `pace` says.
pub(super) fn remote(provider: &Provider, pace: &str) -> String {
    format!("jwks_url = \"{}\"\nrefresh = {pace}", provider.url())
}

/// Waits until `what` holds; a test that waits for five seconds fails.
pub(super) async fn until(what: impl Fn() -> bool) {
    for _ in 0..1000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not come true");
}
