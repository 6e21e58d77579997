//! What the upstream hears of a verified caller: plain headers, and a signed assertion that lets it prove that the request
//! came through the gate. Knows no socket; the key and the time are arguments.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};

use crate::principal::{Principal, Scopes};
use crate::time::Timestamp;
use crate::token::{Note, SigningKey, Verified};
use crate::wire::write::write_field;
use crate::wire::{FieldSink, HeadSink};

/// What the operator chose about identity headers.
#[derive(Debug, Clone)]
pub struct IdentityTerms {
    /// The header names that belong to the gateway.
    pub prefix: HeaderPrefix,
    /// The key that signs assertions; `None`: none is sent.
    pub signing_key: Option<Arc<SigningKey>>,
    /// `iss` of the assertion; present whenever there is a key.
    pub issuer: Option<Box<str>>,
    /// The longest life of an assertion.
    pub assertion_lifetime: Duration,
}

/// Writes identity headers.
#[derive(Debug)]
pub struct IdentitySigner {
    names: Names,
    assertions: Option<Assertions>,
    /// Public keys that signed before.
    leaving: Vec<Value>,
}

/// The names under the prefix, put together once.
#[derive(Debug)]
struct Names {
    subject: Box<str>,
    issuer: Box<str>,
    tenant: Box<str>,
    session: Box<str>,
    scopes: Box<str>,
    products: Box<str>,
    assertion: Box<str>,
}

impl IdentitySigner {
    /// Puts names and signer together.
    pub fn new(terms: &IdentityTerms) -> Self {
        Self {
            names: Names::under(&terms.prefix),
            assertions: Assertions::of(terms),
            leaving: Vec::new(),
        }
    }

    /// Publishes these public keys beside its own.
    pub fn publishing(self, leaving: Vec<Value>) -> Self {
        Self { leaving, ..self }
    }

    /// Hands the identity headers of a verified caller to `sink`; a claim that is absent has no header.
    pub fn put(
        &self,
        verified: &Verified,
        upstream: &Arc<str>,
        now: Timestamp,
        sink: &mut (impl FieldSink + ?Sized),
    ) {
        match &self.assertions {
            Some(assertions) => {
                let note = assertions.find_or_sign(&self.names, verified, upstream, now);
                sink.lines(&note.text);
            }
            None => self.names.claims(verified.principal(), sink),
        }
    }

    /// The public key set at `/.well-known/identity-jwks.json` (RFC 7517 §5); empty when nothing is signed.
    pub fn jwks(&self) -> String {
        let keys: Vec<_> = self
            .assertions
            .iter()
            .map(|assertions| assertions.key.public_jwk())
            .chain(self.leaving.iter().cloned())
            .collect();
        json!({ "keys": keys }).to_string()
    }
}

impl Names {
    fn under(prefix: &HeaderPrefix) -> Self {
        let name = |rest: &str| [prefix.as_str(), rest].concat().into_boxed_str();
        Self {
            subject: name("Subject"),
            issuer: name("Issuer"),
            tenant: name("Tenant"),
            session: name("Session"),
            scopes: name("Scopes"),
            products: name("Products"),
            assertion: name("Assertion"),
        }
    }

    fn claims(&self, principal: &Principal, sink: &mut (impl FieldSink + ?Sized)) {
        let scopes = principal.scopes.as_ref().map(Scopes::as_str);
        let products = principal.products.joined();
        let claims = [
            (&self.subject, Some(&*principal.subject)),
            (&self.issuer, Some(&*principal.issuer)),
            (&self.tenant, principal.tenant.as_deref()),
            (&self.session, principal.session.as_deref()),
            (&self.scopes, scopes),
            (&self.products, products),
        ];
        for (name, value) in claims {
            if let Some(value) = value {
                sink.field(name, value.as_bytes());
            }
        }
    }
}

/// Signs assertions. Each is kept with its token, and the other headers with it, for as long as it may be sent again.
#[derive(Debug)]
struct Assertions {
    key: Arc<SigningKey>,
    issuer: Box<str>,
    lifetime: Duration,
    /// All of that in one word: what another configuration made is not sent.
    maker: Arc<str>,
}

impl Assertions {
    fn of(terms: &IdentityTerms) -> Option<Self> {
        let (key, issuer) = (terms.signing_key.clone()?, terms.issuer.clone()?);
        let lifetime = terms.assertion_lifetime;
        Some(Self {
            maker: format!(
                "{} {} {} {issuer}",
                terms.prefix.as_str(),
                key.kid(),
                lifetime.as_millis()
            )
            .into(),
            key,
            issuer,
            lifetime,
        })
    }

    fn find_or_sign(
        &self,
        names: &Names,
        verified: &Verified,
        upstream: &Arc<str>,
        now: Timestamp,
    ) -> Arc<Note> {
        let notes = verified.notes();
        notes.find_or_make(&self.maker, upstream, now, || {
            self.sign(names, verified, upstream, now)
        })
    }

    /// All identity headers as lines, with an assertion that ends no later than its token and is renewed at half its life.
    fn sign(
        &self,
        names: &Names,
        verified: &Verified,
        upstream: &Arc<str>,
        now: Timestamp,
    ) -> Note {
        let principal = verified.principal();
        let longest = now.plus(self.lifetime);
        let expires_at = longest.min(verified.expires_at());
        let half = Duration::from_millis(expires_at.since(now).as_millis() as u64 / 2);
        let claims = AssertionClaims {
            iss: &self.issuer,
            aud: upstream,
            sub: &principal.subject,
            sub_iss: &principal.issuer,
            products: principal.products.iter().collect(),
            iat: now.as_secs(),
            exp: expires_at.as_secs(),
            jti: assertion_id(verified.digest(), upstream, now),
            tenant: principal.tenant.as_deref(),
            sid: principal.session.as_deref(),
            scope: principal.scopes.as_ref().map(Scopes::as_str),
        };
        let ends_with_token = expires_at < longest;
        let assertion = self.key.sign(ASSERTION_TYPE, &claims);
        let mut lines = Vec::with_capacity(assertion.len() + CLAIMS_BYTES);
        names.claims(principal, &mut HeadSink(&mut lines));
        write_field(&mut lines, &names.assertion, assertion.as_bytes());
        Note {
            maker: self.maker.clone(),
            reader: upstream.clone(),
            text: String::from_utf8(lines)
                .expect("names and claims are text")
                .into(),
            since: now,
            until: if ends_with_token {
                expires_at
            } else {
                now.plus(half)
            },
        }
    }
}

/// What an assertion says (RFC 7519 §4.1, RFC 9068 §2.2); what the token did not say is absent.
#[derive(Serialize)]
struct AssertionClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    sub_iss: &'a str,
    products: Vec<&'a str>,
    iat: u64,
    exp: u64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

/// Room for the usual claims as headers.
const CLAIMS_BYTES: usize = 512;

/// `typ` of an assertion.
pub const ASSERTION_TYPE: &str = "identity+jwt";

/// The assertion's own id: the same token, upstream and moment give the same one.
fn assertion_id(token: &[u8; 32], upstream: &str, now: Timestamp) -> String {
    let mut hasher = blake3::Hasher::new_keyed(token);
    hasher
        .update(&now.as_millis().to_be_bytes())
        .update(upstream.as_bytes());
    URL_SAFE_NO_PAD.encode(&hasher.finalize().as_bytes()[..16])
}

/// The prefix of the gateway's own headers: `X-Identity-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderPrefix(Box<str>);

impl HeaderPrefix {
    /// Reads a prefix: letters, digits and dashes, with a dash at its end.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = text.ends_with('-')
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        sound.then(|| Self(text.into()))
    }

    /// As configured.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a field's name is under the prefix, in any case and with `_` for `-`.
    pub fn owns(&self, name: &str) -> bool {
        let prefix = self.0.as_bytes();
        name.len() >= prefix.len()
            && name.bytes().zip(prefix).all(|(byte, wanted)| {
                let byte = if byte == b'_' { b'-' } else { byte };
                byte.eq_ignore_ascii_case(wanted)
            })
    }
}
