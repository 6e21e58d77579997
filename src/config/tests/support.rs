//! What the tests of this room share: files in memory, and a small sound configuration.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::config::{Config, Diagnostic, Files, check};
use crate::secret::Secret;
use crate::token::{Algorithm, SigningKey};

/// Environment variables and files, in memory.
#[derive(Default)]
pub(super) struct InMemory {
    env: HashMap<String, Vec<u8>>,
    files: HashMap<PathBuf, Vec<u8>>,
}

impl InMemory {
    /// Every secret and every file that the contract and the reference refer to.
    pub(super) fn full() -> Self {
        let mut files = Self::default();
        for name in [
            "ADMIN_TOKEN",
            "HOOK_SECRET",
            "JWKS_AUTHORIZATION",
            "HS_SECRET",
        ] {
            files = files.env(name, &[b'x'; 64]);
        }
        let key = SigningKey::generate_pem(Algorithm::Es256).unwrap();
        let public = SigningKey::from_pem(&key).unwrap().public_jwk();
        let jwks = serde_json::json!({ "keys": [public] }).to_string();
        for path in [
            "identity.pem",
            "sign.pem",
            "tls.key",
            "/etc/tollgate/tls.key",
        ] {
            files = files.file(path, key.expose());
        }
        for path in [
            "tls.crt",
            "/etc/tollgate/tls.crt",
            "clients.pem",
            "ca.pem",
            "provider-ca.pem",
        ] {
            files = files.file(path, certificate().as_bytes());
        }
        let ed25519 = SigningKey::generate_pem(Algorithm::EdDsa).unwrap();
        let ed25519 = SigningKey::from_pem(&ed25519).unwrap().public_jwk();
        let offline = serde_json::json!({ "keys": [ed25519] }).to_string();
        files
            .file("/etc/tollgate/admin.token", b"0123456789abcdef\n")
            .file(
                "refresh.key",
                b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
            )
            .file("partner.jwks.json", jwks.as_bytes())
            .file("jwks.json", offline.as_bytes())
    }

    pub(super) fn env(mut self, name: &str, value: &[u8]) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    pub(super) fn file(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.insert(path.into(), bytes.into());
        self
    }
}

impl Files for InMemory {
    fn env(&self, name: &str) -> Result<Secret, String> {
        let value = self.env.get(name).cloned();
        value
            .map(Secret::new)
            .ok_or_else(|| format!("the variable {name} is not set"))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let bytes = self.files.get(path).cloned();
        bytes.ok_or_else(|| format!("there is no file {}", path.display()))
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        Path::new("/etc/gate").join(path)
    }
}

fn certificate() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["gate.example.com".into()]).unwrap();
    params.self_signed(&key).unwrap().pem()
}

/// A sound gateway: one listener, one issuer, one product, one upstream, one route.
pub(super) const SOUND: &str = r#"
[listeners.public]
address = "127.0.0.1:8080"

[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
discovery = true

[products.crm]

[upstreams.crm]
servers = ["127.0.0.1:9101"]

[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "crm"
"#;

/// The sound gateway with `more` behind it.
pub(super) fn with(more: &str) -> String {
    format!("{SOUND}\n{more}")
}

/// The sound gateway with one part replaced, which must be there.
pub(super) fn replaced(from: &str, to: &str) -> String {
    assert!(SOUND.contains(from), "{from}");
    SOUND.replacen(from, to, 1)
}

/// The configuration behind a text without faults.
pub(super) fn sound(text: &str) -> (Config, Vec<Diagnostic>) {
    match check(text, &InMemory::full()) {
        Ok(sound) => sound,
        Err(found) => panic!("{}", shown(text, &found)),
    }
}

/// What is said about a text.
pub(super) fn found(text: &str) -> Vec<Diagnostic> {
    match check(text, &InMemory::full()) {
        Ok((_, warnings)) => warnings,
        Err(found) => found,
    }
}

/// The diagnostics as the command line shows them.
pub(super) fn shown(text: &str, found: &[Diagnostic]) -> String {
    crate::config::Report::new("gateway.toml", text, found).to_text(crate::config::Colour::Plain)
}

/// What is said about `text` are exactly these words, in the order of the file.
pub(super) fn says(text: &str, expected: &[&str]) {
    let found = found(text);
    let codes: Vec<_> = found.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, expected, "\n{text}\n{}", shown(text, &found));
}

/// The sound gateway with `more` in the table of its route, issuer, upstream or listener.
pub(super) fn inside(table: &str, more: &str) -> String {
    replaced(table, &format!("{table}\n{more}"))
}

pub(super) const ROUTE: &str = "[routes.crm]";
pub(super) const ISSUER: &str = "[issuers.main]";
pub(super) const UPSTREAM: &str = "[upstreams.crm]";
pub(super) const LISTENER: &str = "[listeners.public]";
