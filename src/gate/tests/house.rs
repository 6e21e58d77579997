//! A gate from a configuration as text, an issuer for it, and heads to ask it with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{Gate, Hop, Peer, RequestId, Silent, TraceContext, Verdict};
use crate::config::{self, Config, Files};
use crate::secret::Secret;
use crate::session::Revocations;
use crate::time::Timestamp;
use crate::token::{Algorithm, KeyRing, KeySet, SigningKey, VerifiedTokens};
use crate::wire::{Field, RequestHead, Scheme, Version};

/// Names and values.
pub(super) type Fields<'f> = [(&'f str, &'f str)];

/// The present of every test: a number.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(super) const CONFIG: &str = r#"
[listeners.public]
address = "127.0.0.1:8080"
[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["EdDSA"]
discovery = true
[issuers.other]
issuer = "https://other.example.com"
audiences = ["https://api.example.com"]
algorithms = ["EdDSA"]
discovery = true
[products.crm]
[products.billing]
[upstreams.app]
servers = ["127.0.0.1:9000"]
[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "app"
[routes.open]
path = "/open/*"
access = "public"
upstream = "app"
[routes.shadow]
path = "/shadow/*"
product = "crm"
mode = "shadow"
upstream = "app"
[routes.tenant]
path = "/t/{tenant}/*"
access = "authenticated"
tenant = "path:tenant"
upstream = "app"
[routes.stripped]
path = "/api/v1/*"
access = "public"
strip_prefix = "/api/v1"
upstream = "app"
[routes.mine]
path = "/mine"
access = "authenticated"
issuers = ["main"]
upstream = "app"
[routes.socket]
path = "/socket"
access = "authenticated"
websocket_token = true
upstream = "app"
"#;

struct Nothing;

impl Files for Nothing {
    fn env(&self, name: &str) -> Result<Secret, String> {
        Err(format!("{name} is not set"))
    }
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("no {}", path.display()))
    }
    fn resolve(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

/// A gate, and the key of its issuers.
pub(super) struct House {
    pub(super) gate: Gate,
    pub(super) key: SigningKey,
    pub(super) revocations: Revocations,
}

impl House {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A house whose configuration is changed once it was read.
    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let key = new_key();
        let (mut config, _) =
            config::check(CONFIG, &Nothing).unwrap_or_else(|faults| panic!("{faults:#?}"));
        change(&mut config);
        let document = json!({ "keys": [key.public_jwk()] }).to_string();
        let (keys, _) = KeySet::parse(document.as_bytes(), &[Algorithm::EdDsa]).unwrap();
        let (mut ring, keys) = (KeyRing::default(), Arc::new(keys));
        ring.insert("main".into(), keys.clone());
        ring.insert("other".into(), keys);
        let verified = Arc::new(VerifiedTokens::new(100, [7; 32]));
        Self {
            gate: Gate::assemble(Arc::new(config), &ring, verified),
            key,
            revocations: Revocations::default(),
        }
    }

    /// A good token with `changes` laid over its claims.
    pub(super) fn token(&self, changes: Value) -> String {
        let mut claims = good_claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.key.sign("at+jwt", &claims)
    }

    /// The `Authorization` of a good token that lacks a claim.
    pub(super) fn token_without(&self, claim: &str) -> String {
        let mut claims = good_claims();
        claims.as_object_mut().unwrap().remove(claim);
        format!("Bearer {}", self.key.sign("at+jwt", &claims))
    }

    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.token(json!({})))
    }

    /// Asks for the verdict on a GET.
    pub(super) fn ask(&self, target: &str, fields: &[(&str, &str)]) -> Verdict {
        self.with_head("GET", target, fields, |head| {
            self.gate.admit(head, &self.revocations, NOW, &mut Silent)
        })
    }

    /// `forward`, `shadow`, `answer`, or the reason of a refusal.
    pub(super) fn word(&self, target: &str, fields: &[(&str, &str)]) -> &'static str {
        word(&self.ask(target, fields))
    }

    /// The fields that the upstream would get; a trusted peer passes on what 203.0.113.9 asks for.
    pub(super) fn forwarded(
        &self,
        target: &str,
        fields: &[(&str, &str)],
        trusted: bool,
    ) -> Vec<(String, String)> {
        self.with_head("GET", target, fields, |head| {
            let Verdict::Forward(admission) =
                self.gate.admit(head, &self.revocations, NOW, &mut Silent)
            else {
                panic!("{target} is not forwarded");
            };
            let request_id = RequestId::of(head, 1);
            let hop = Hop {
                peer: Peer {
                    address: "192.0.2.1",
                    trusted,
                },
                client: trusted.then(|| [203, 0, 113, 9].into()),
                request_id: request_id.as_str(),
                trace: &TraceContext::of(head, [2, 3]),
                now: NOW,
            };
            let mut told = Vec::new();
            self.gate
                .upstream_fields(&admission, head, &hop, &mut |name: &str, value: &[u8]| {
                    told.push((name.to_owned(), String::from_utf8(value.to_vec()).unwrap()));
                });
            told
        })
    }

    pub(super) fn with_head<T>(
        &self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        then: impl FnOnce(&RequestHead<'_>) -> T,
    ) -> T {
        let host = fields
            .iter()
            .all(|(name, _)| !name.eq_ignore_ascii_case("host"));
        let host = host.then_some(("Host", "api.example.com"));
        let fields: Vec<Field<'_>> = host
            .iter()
            .chain(fields)
            .map(|(name, value)| Field {
                name,
                value: value.as_bytes(),
            })
            .collect();
        then(&RequestHead {
            version: Version::Http11,
            scheme: Scheme::Http,
            method,
            target,
            authority: None,
            fields: &fields,
        })
    }
}

fn good_claims() -> Value {
    json!({
        "iss": "https://auth.example.com", "aud": "https://api.example.com", "sub": "u_1",
        "iat": NOW.as_secs(), "exp": NOW.as_secs() + 600, "products": ["crm"], "tenant": "acme",
    })
}

pub(super) fn new_key() -> SigningKey {
    let pem = SigningKey::generate_pem(Algorithm::EdDsa).unwrap();
    SigningKey::from_pem(&pem).unwrap()
}

pub(super) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Refuse(refusal) => refusal.reason.as_str(),
        other => other.as_str(),
    }
}
