//! What the benchmarks ask: a gate with an issuer for each algorithm, and callers that it knows. Keys, times and names
//! are fixed, so that instructions can be counted; the floors above the waterline are not here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tollgate::config::model::Config;
use tollgate::config::{self, Files};
use tollgate::gate::{Admission, Gate, Hop, Peer, RequestId, Silent, TraceContext, Verdict};
use tollgate::policy::{Found, Host, RequestPath, RouteTable};
use tollgate::secret::Secret;
use tollgate::session::{Revocation, Revocations, Revoked};
use tollgate::time::Timestamp;
use tollgate::token::{Algorithm, KeyRing, KeySet, SigningKey, VerifiedTokens, Verifier};
use tollgate::wire::head::{HeadLimits, Http1Request, parse_request};
use tollgate::wire::{HeadSink, RequestHead, Scheme};

/// The present.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(crate) const LIMITS: HeadLimits = HeadLimits {
    bytes_max: 32 * 1024,
    fields_max: 100,
};

/// Everything that one request is judged by.
pub(crate) struct House {
    pub(crate) gate: Gate,
    pub(crate) revocations: Revocations,
}

impl House {
    /// A gate with `routes` routes and `revoked` revocations that hit nobody.
    pub(crate) fn new(routes: usize, revoked: usize) -> Self {
        let config = Arc::new(configuration(routes));
        let verified = Arc::new(VerifiedTokens::new(10_000, [7; 32]));
        Self {
            gate: Gate::assemble(config, &ring(), verified),
            revocations: revocations(revoked),
        }
    }

    /// Judges one request, which must pass.
    pub(crate) fn admit(&self, request: &Http1Request<'_>) -> Admission {
        match self
            .gate
            .admit(&head_of(request), &self.revocations, NOW, &mut Silent)
        {
            Verdict::Forward(admission) => admission,
            other => panic!("a good request was not forwarded: {other:?}"),
        }
    }

    /// Writes the fields that the upstream gets; returns their bytes.
    pub(crate) fn forward(&self, request: &Http1Request<'_>, admission: &Admission) -> usize {
        let head = head_of(request);
        let id = RequestId::of(&head, 0x0123_4567_89ab_cdef);
        let hop = Hop {
            peer: Peer {
                address: "192.0.2.7",
                trusted: false,
            },
            client: None,
            request_id: id.as_str(),
            trace: &TraceContext::of(&head, [1, 2]),
            now: NOW,
        };
        let mut written = Vec::with_capacity(4 << 10);
        self.gate
            .upstream_fields(admission, &head, &hop, &mut HeadSink(&mut written));
        written.len()
    }
}

/// A verifier that remembers `remembered` tokens.
pub(crate) fn verifier(remembered: usize) -> Verifier {
    let issuers = configuration(1).issuers;
    let terms = issuers.iter().map(|issuer| issuer.terms.clone());
    let verified = Arc::new(VerifiedTokens::new(remembered, [7; 32]));
    Verifier::new(terms.collect(), &ring(), verified)
}

/// A table of `count` routes, and a path under the middle one.
pub(crate) fn table(count: usize) -> (RouteTable, Host, RequestPath) {
    let routes = RouteTable::new(configuration(count).routes).expect("no two routes tie");
    let path = RequestPath::parse(&format!("/r{}/items/42", count / 2)).expect("a sound path");
    (routes, Host::parse(HOST).expect("a sound host"), path)
}

/// Looks a route up as the gate does.
pub(crate) fn look_up(table: &RouteTable, host: &Host, path: &RequestPath) -> bool {
    let found = table.find_alike(Some(host), path, "GET");
    matches!(found, Ok(Found::Route(_)))
}

/// `Authorization` values of `count` callers, signed by `algorithm`.
pub(crate) fn authorizations(algorithm: Algorithm, count: usize) -> Vec<String> {
    let sign = signer(algorithm);
    let claims = |caller: usize| {
        json!({
            "iss": issuer(algorithm), "aud": "https://api.example.com", "sub": format!("user-{caller:024}"),
            "iat": NOW.as_secs() - 60, "exp": NOW.as_secs() + 600, "jti": format!("{caller:032x}"),
            "products": ["crm", "billing", "search"], "tenant": "acme", "email": "someone@example.com",
            "scope": "openid profile email orders:read orders:write billing:read",
        })
    };
    (0..count)
        .map(|caller| format!("Bearer {}", sign(&claims(caller))))
        .collect()
}

/// The heads of ordinary requests, one for each caller. They live as long as the process: a benchmark runs once.
pub(crate) fn heads(authorizations: &[String]) -> Vec<&'static [u8]> {
    let head = |authorization: &String| {
        format!(
            "GET /r0/items/42?page=2 HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\
             Accept: application/json\r\nAccept-Encoding: gzip, br\r\nAccept-Language: en\r\n\
             Authorization: {authorization}\r\n\r\n"
        )
    };
    let heads = authorizations.iter().map(head);
    heads.map(|head| head.leak().as_bytes()).collect()
}

/// Reads one head.
pub(crate) fn read(head: &[u8]) -> Http1Request<'_> {
    let read = parse_request(head, LIMITS).expect("a sound head");
    read.expect("a whole head").0
}

/// `count` revocations of tokens that nobody holds.
pub(crate) fn revocations(count: usize) -> Revocations {
    let revocations = Revocations::default();
    for token in 0..count {
        let revocation = Revocation {
            what: Revoked::Token(format!("gone-{token}").into()),
            issuer: None,
            cutoff: NOW,
            expires_at: Timestamp::from_secs(NOW.as_secs() + 3600),
        };
        revocations.revoke(revocation, NOW);
    }
    revocations
}

fn head_of<'a>(request: &'a Http1Request<'_>) -> RequestHead<'a> {
    RequestHead {
        version: request.version,
        scheme: Scheme::Http,
        method: request.method,
        target: request.target,
        authority: None,
        fields: &request.fields,
    }
}

/// A configuration with `routes` routes, `/r0/*` and on.
pub(crate) fn configuration(routes: usize) -> Config {
    let mut text = String::from(CONFIG);
    for algorithm in ALGORITHMS {
        let keys = match algorithm {
            Algorithm::Hs256 => "secrets = [\"env:SECRET\"]",
            _ => "jwks_url = \"https://keys.example.com/jwks.json\"",
        };
        text += &format!(
            "[issuers.{name}]\nissuer = \"{}\"\naudiences = [\"https://api.example.com\"]\nalgorithms = [\"{name}\"]\n{keys}\n",
            issuer(algorithm),
            name = algorithm.as_str(),
        );
    }
    for route in 0..routes {
        text += &format!(
            "[routes.r{route}]\npath = \"/r{route}/*\"\nproduct = \"crm\"\nupstream = \"app\"\n"
        );
    }
    let checked = config::check(&text, &KeyFiles);
    checked
        .unwrap_or_else(|faults| panic!("the house's configuration is at fault: {faults:#?}"))
        .0
}

fn issuer(algorithm: Algorithm) -> String {
    format!("https://{}.example.com", algorithm.as_str().to_lowercase())
}

fn ring() -> KeyRing {
    let mut ring = KeyRing::default();
    for algorithm in ALGORITHMS {
        let keys = match algorithm {
            Algorithm::Hs256 => KeySet::from_secrets(&[Secret::new(SECRET.to_vec())], &[algorithm])
                .expect("long enough"),
            _ => KeySet::from_signing_keys([&signing_key(algorithm)]),
        };
        ring.insert(algorithm.as_str().into(), Arc::new(keys));
    }
    ring
}

fn signer(algorithm: Algorithm) -> Box<dyn Fn(&Value) -> String> {
    if algorithm != Algorithm::Hs256 {
        let key = signing_key(algorithm);
        return Box::new(move |claims| key.sign("at+jwt", claims));
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    Box::new(move |claims| {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"at+jwt"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let tag = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    })
}

fn signing_key(algorithm: Algorithm) -> SigningKey {
    let pem = match algorithm {
        Algorithm::Rs256 => include_str!("../data/keys/rsa2048.pem"),
        Algorithm::Es256 => include_str!("../data/keys/p256.pem"),
        _ => include_str!("../data/keys/ed25519.pem"),
    };
    SigningKey::from_pem(&Secret::new(pem.into())).expect("a sound key")
}

/// No file, and one variable.
struct KeyFiles;

impl Files for KeyFiles {
    fn env(&self, _: &str) -> Result<Secret, String> {
        Ok(Secret::new(SECRET.to_vec()))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        match path.extension() {
            Some(_) => Ok(include_bytes!("../data/keys/ed25519.pem").to_vec()),
            None => Err(format!("there is no file {}", path.display())),
        }
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        path.into()
    }
}

/// One issuer each.
pub(crate) const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Rs256,
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Hs256,
];

const HOST: &str = "api.example.com";
const SECRET: &[u8] = b"a secret of tests: at least thirty-two bytes";
const CONFIG: &str = r#"
[listeners.public]
address = "127.0.0.1:8080"
[identity]
signing_key = "file:identity.pem"
issuer = "https://gate.example.com"
[products.crm]
[upstreams.app]
servers = ["127.0.0.1:9000"]
"#;
