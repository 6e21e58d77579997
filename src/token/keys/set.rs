//! Keys that signatures are checked with: a JWKS document (RFC 7517) or shared secrets in, usable keys out.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::HashMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::jwk::{self, JwkReading};
use super::key::{KeyUid, VerificationKey};
use super::mint::SigningKey;
use crate::secret::Secret;
use crate::token::terms::Algorithm;

/// The usable keys of one issuer. Immutable: a refresh makes a new one and replaces the old exactly.
///
/// Shared secrets and public keys never meet in one set: [`KeySet::parse`] makes none of the former and
/// [`KeySet::from_secrets`] none of the latter.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<Arc<VerificationKey>>,
    by_kid: HashMap<Box<str>, Vec<Arc<VerificationKey>>>,
    by_uid: HashMap<KeyUid, Arc<VerificationKey>>,
    /// They vouch for nothing. Known all the same, so that their tokens are told from those of nobody's key.
    distrusted: Vec<Arc<VerificationKey>>,
    /// `kid`s of keys that earlier sets had, at most [`KeySet::KEYS_MAX`].
    withdrawn: BTreeSet<Box<str>>,
}

/// Who made a signature that holds.
#[derive(Debug, Clone, Copy)]
pub(in crate::token) enum Signer<'s> {
    /// A key that counts.
    Trusted(&'s Arc<VerificationKey>),
    /// One that nobody shall trust again.
    Distrusted,
}

/// Why no key of a set vouches for a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::token) enum KeyFault {
    /// The key that is named is another algorithm's, or the set can never hold one of this algorithm.
    AlgorithmRefused,
    /// No key has this name; without a name, there is not exactly one of this algorithm.
    Unknown,
    /// The key of this name was withdrawn by its issuer.
    Withdrawn,
    /// The key that is named did not make this signature.
    SignatureInvalid,
}

impl KeySet {
    /// The largest JWKS document, in bytes.
    pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

    /// The most members of `keys` in one document.
    pub const KEYS_MAX: usize = 100;

    /// Reads a JWKS document. Odd keys are skipped and named in the second part; the rest serve.
    ///
    /// A key without `alg` is pinned by its type and curve; an RSA key without one serves every RSA algorithm in
    /// `algorithms`, each as a key of its own.
    ///
    /// # Errors
    /// A text for the operator when the document is no JWKS at all, or over a limit.
    pub fn parse(document: &[u8], algorithms: &[Algorithm]) -> Result<(Self, Vec<String>), String> {
        if document.len() > Self::DOCUMENT_BYTES_MAX {
            return Err("the key set is over 256 KiB".to_owned());
        }
        let document: Document<'_> = serde_json::from_slice(document).map_err(|error| {
            format!("the key set is no JSON object with a list `keys`: {error}")
        })?;
        if document.keys.len() > Self::KEYS_MAX {
            return Err(format!("the key set has over {} keys", Self::KEYS_MAX));
        }
        let mut set = Self::default();
        let mut warnings = Vec::new();
        for (index, jwk) in document.keys.iter().enumerate() {
            let JwkReading {
                label,
                keys,
                mut warning,
            } = jwk::read(jwk.get().as_bytes(), algorithms);
            for key in keys {
                if set.clashes(&key) {
                    warning = Some("another key has its `kid`; the first one serves".to_owned());
                }
                set.add(Arc::new(key));
            }
            warnings.extend(warning.map(|warning| format!("key {}{label}: {warning}", index + 1)));
        }
        Ok((set, warnings))
    }

    /// Makes a set of shared secrets for the HMAC algorithms. Several serve at once: a rotation adds the new one first.
    ///
    /// # Errors
    /// A text for the operator when a secret is shorter than an algorithm's hash (RFC 7518 §3.2), or nothing is usable.
    pub fn from_secrets(secrets: &[Secret], algorithms: &[Algorithm]) -> Result<Self, String> {
        let mut set = Self::default();
        for algorithm in algorithms
            .iter()
            .filter(|algorithm| algorithm.is_symmetric())
        {
            for (index, secret) in secrets.iter().enumerate() {
                let key = VerificationKey::shared(secret, *algorithm).ok_or_else(|| {
                    format!(
                        "secret {} is shorter than the hash of {}",
                        index + 1,
                        algorithm.as_str()
                    )
                })?;
                set.add(Arc::new(key));
            }
        }
        if set.is_empty() {
            return Err("no secret serves an HMAC algorithm of the issuer".to_owned());
        }
        Ok(set)
    }

    /// The set that verifies what these keys sign.
    pub fn from_signing_keys<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> Self {
        Self::of(keys.into_iter().map(|key| Arc::new(key.verification_key())))
    }

    /// The same set behind `previous`: every key that both have counts its usage on, and those that only `previous` had are
    /// known as withdrawn.
    #[must_use]
    pub fn succeeding(self, previous: &Self) -> Self {
        let keys = self
            .keys
            .into_iter()
            .map(|key| previous.find_uid(&key.uid()).cloned().unwrap_or(key));
        let set = Self::of(keys);
        let gone = previous.by_kid.keys().chain(&previous.withdrawn);
        let gone = gone.filter(|kid| !set.by_kid.contains_key(*kid));
        Self {
            withdrawn: gone.take(Self::KEYS_MAX).cloned().collect(),
            ..set
        }
    }

    /// The set in which the keys whose `kid` or thumbprint (RFC 7638) is in `names` vouch for nothing.
    #[must_use]
    pub fn distrusting<S: AsRef<str>>(&self, names: &[S]) -> Self {
        let is_named = |key: &Arc<VerificationKey>| {
            let mut names = names.iter().map(|name| Some(name.as_ref()));
            names.any(|name| name == key.kid() || name == key.thumbprint())
        };
        let (distrusted, trusted): (_, Vec<_>) = self.keys.iter().cloned().partition(is_named);
        Self {
            distrusted,
            withdrawn: self.withdrawn.clone(),
            ..Self::of(trusted)
        }
    }

    /// The set without the keys of these names: nobody knows them any more.
    #[must_use]
    pub fn without(&self, kids: &[String]) -> Self {
        let is_named = |key: &VerificationKey| kids.iter().any(|kid| Some(&**kid) == key.kid());
        let kept = self.keys.iter().filter(|key| !is_named(key)).cloned();
        Self {
            distrusted: self.distrusted.clone(),
            ..Self::of(kept)
        }
    }

    /// Whether there is a key here that `previous` does not have.
    pub fn adds_to(&self, previous: &Self) -> bool {
        self.keys
            .iter()
            .any(|key| previous.find_uid(&key.uid()).is_none())
    }

    /// Every key, each under its one algorithm, in the document's order.
    pub fn keys(&self) -> impl Iterator<Item = &VerificationKey> {
        self.keys.iter().map(AsRef::as_ref)
    }

    /// How many keys can be used.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can be used.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key with this content, while the set holds it.
    pub(in crate::token) fn find_uid(&self, uid: &KeyUid) -> Option<&Arc<VerificationKey>> {
        self.by_uid.get(uid)
    }

    /// The key that made `signature` over `signing_input`. Which one may be asked is settled before any cryptography:
    /// the one with this `kid` and algorithm; without `kid`, the only one of the algorithm; of shared secrets, each.
    pub(in crate::token) fn find_signer(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        signing_input: &str,
        signature: &str,
    ) -> Result<Signer<'_>, KeyFault> {
        if algorithm.is_symmetric() != self.holds_secrets() {
            return Err(KeyFault::AlgorithmRefused);
        }
        let made_it = |key: &VerificationKey| key.verifies(signing_input, signature);
        if algorithm.is_symmetric() {
            let mut fitting = self.of_algorithm(algorithm);
            let found = fitting.find(|key| made_it(key));
            return found.map(Signer::Trusted).ok_or(KeyFault::SignatureInvalid);
        }
        let fault = match self.find_public(algorithm, kid) {
            Ok(key) if made_it(key) => return Ok(Signer::Trusted(key)),
            Ok(_) => KeyFault::SignatureInvalid,
            Err(fault) => fault,
        };
        let is_named = |key: &VerificationKey| kid.is_none() || key.kid() == kid;
        let mut distrusted = self.distrusted.iter().filter(|key| is_named(key));
        distrusted
            .any(|key| key.algorithm() == algorithm && made_it(key))
            .then_some(Signer::Distrusted)
            .ok_or(fault)
    }

    /// The one public key that a header's `alg` and `kid` can mean.
    fn find_public(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<&Arc<VerificationKey>, KeyFault> {
        let Some(kid) = kid else {
            let mut fitting = self.of_algorithm(algorithm);
            return match (fitting.next(), fitting.next()) {
                (Some(only), None) => Ok(only),
                _ => Err(KeyFault::Unknown),
            };
        };
        let Some(named) = self.by_kid.get(kid) else {
            return Err(if self.withdrawn.contains(kid) {
                KeyFault::Withdrawn
            } else {
                KeyFault::Unknown
            });
        };
        named
            .iter()
            .find(|key| key.algorithm() == algorithm)
            .ok_or(KeyFault::AlgorithmRefused)
    }

    fn of_algorithm(&self, algorithm: Algorithm) -> impl Iterator<Item = &Arc<VerificationKey>> {
        let keys = self.keys.iter();
        keys.filter(move |key| key.algorithm() == algorithm)
    }

    fn holds_secrets(&self) -> bool {
        self.keys
            .first()
            .is_some_and(|key| key.algorithm().is_symmetric())
    }

    fn of(keys: impl IntoIterator<Item = Arc<VerificationKey>>) -> Self {
        let mut set = Self::default();
        for key in keys {
            set.add(key);
        }
        set
    }

    /// Adds a key unless the set has it already or another one answers to its `kid` and algorithm.
    fn add(&mut self, key: Arc<VerificationKey>) {
        if self.by_uid.contains_key(&key.uid()) || self.clashes(&key) {
            return;
        }
        if let Some(kid) = key.kid() {
            self.by_kid.entry(kid.into()).or_default().push(key.clone());
        }
        self.by_uid.insert(key.uid(), key.clone());
        self.keys.push(key);
    }

    /// Whether another key has the same `kid` and algorithm with different material.
    fn clashes(&self, key: &VerificationKey) -> bool {
        let named = key.kid().and_then(|kid| self.by_kid.get(kid));
        named
            .into_iter()
            .flatten()
            .any(|held| held.algorithm() == key.algorithm() && held.uid() != key.uid())
    }
}

/// A JWK Set (RFC 7517 §5), its keys still as they came: one that cannot be read takes no other with it.
#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow)]
    keys: Vec<&'d RawValue>,
}

/// The key sets of all issuers, by the issuer's name in the configuration.
#[derive(Debug, Default, Clone)]
pub struct KeyRing(HashMap<Arc<str>, Arc<KeySet>>);

impl KeyRing {
    /// Replaces one issuer's set exactly.
    pub fn insert(&mut self, issuer_name: Arc<str>, keys: Arc<KeySet>) {
        self.0.insert(issuer_name, keys);
    }

    /// One issuer's set.
    pub fn find(&self, issuer_name: &str) -> Option<&Arc<KeySet>> {
        self.0.get(issuer_name)
    }
}
