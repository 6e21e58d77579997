//! One key that signatures are checked with: parsed once, bound to one algorithm for life (RFC 8725 §3.1).

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token::compact::encoded_len;
use crate::token::terms::Algorithm;

/// A usable key with its algorithm, and how often it was used.
pub struct VerificationKey {
    kid: Option<Box<str>>,
    algorithm: Algorithm,
    material: Material,
    thumbprint: Option<Box<str>>,
    uid: KeyUid,
    usage: KeyUsage,
}

/// Names a key by its content: algorithm, `kid` and material. The same key has the same one after a refresh.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyUid([u8; 32]);

/// How often a key was used, and when last.
#[derive(Debug, Default)]
pub struct KeyUsage {
    count: AtomicU64,
    last_used_secs: AtomicU64,
}

enum Material {
    /// A public key, with the only length in bytes that its signatures have.
    Public {
        key: ParsedPublicKey,
        signature_bytes: usize,
    },
    /// A shared secret; boxed, since its prepared state is many times a public key's.
    Shared(Box<hmac::Key>),
}

impl VerificationKey {
    /// Binds public material to its algorithm and names.
    pub(super) fn public(
        kid: Option<&str>,
        algorithm: Algorithm,
        key: ParsedPublicKey,
        signature_bytes: usize,
        thumbprint: Box<str>,
    ) -> Self {
        let uid = KeyUid::of(algorithm, kid, key.as_ref());
        Self {
            kid: kid.map(Into::into),
            algorithm,
            material: Material::Public {
                key,
                signature_bytes,
            },
            thumbprint: Some(thumbprint),
            uid,
            usage: KeyUsage::default(),
        }
    }

    /// Binds a shared secret to one HMAC algorithm; `None` when it is shorter than the hash (RFC 7518 §3.2) or the
    /// algorithm is none of HMAC's.
    pub(super) fn shared(secret: &Secret, algorithm: Algorithm) -> Option<Self> {
        let (hash, bytes_min) = match algorithm {
            Algorithm::Hs256 => (hmac::HMAC_SHA256, 32),
            Algorithm::Hs384 => (hmac::HMAC_SHA384, 48),
            Algorithm::Hs512 => (hmac::HMAC_SHA512, 64),
            _ => return None,
        };
        let secret = secret.expose();
        (secret.len() >= bytes_min).then(|| Self {
            kid: None,
            algorithm,
            material: Material::Shared(Box::new(hmac::Key::new(hash, secret))),
            thumbprint: None,
            uid: KeyUid::of(algorithm, None, secret),
            usage: KeyUsage::default(),
        })
    }

    /// `kid`, where the key set gave it one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The only algorithm that this key checks.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The thumbprint of the public key (RFC 7638, SHA-256); a shared secret has none.
    pub fn thumbprint(&self) -> Option<&str> {
        self.thumbprint.as_deref()
    }

    /// The name that follows from the content.
    pub fn uid(&self) -> KeyUid {
        self.uid
    }

    /// How often and when last it was used.
    pub fn usage(&self) -> &KeyUsage {
        &self.usage
    }

    /// Whether `signature` (base64url) is this key's over `signing_input`. Its length is checked before it is decoded;
    /// an HMAC is compared in constant time.
    pub(super) fn verifies(&self, signing_input: &str, signature: &str) -> bool {
        let signature_bytes = self.signature_bytes();
        if signature.len() != encoded_len(signature_bytes) || signature_bytes > SIGNATURE_BYTES_MAX
        {
            return false;
        }
        let mut buffer = [0; SIGNATURE_BYTES_MAX];
        let decoded = URL_SAFE_NO_PAD.decode_slice(signature, &mut buffer);
        let Ok(signature) = decoded.map(|len| &buffer[..len]) else {
            return false;
        };
        let message = signing_input.as_bytes();
        match &self.material {
            Material::Public { key, .. } => key.verify_sig(message, signature).is_ok(),
            Material::Shared(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }

    fn signature_bytes(&self) -> usize {
        match &self.material {
            Material::Public {
                signature_bytes, ..
            } => *signature_bytes,
            Material::Shared(key) => key.algorithm().tag_len(),
        }
    }
}

/// A key's material stays out of logs.
impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

impl KeyUid {
    fn of(algorithm: Algorithm, kid: Option<&str>, material: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in [
            algorithm.as_str().as_bytes(),
            kid.map_or("-", |_| "+").as_bytes(),
            kid.unwrap_or_default().as_bytes(),
            material,
        ] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }
}

/// A digest of a shared secret, too, stays out of logs.
impl fmt::Debug for KeyUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyUid(..)")
    }
}

impl KeyUsage {
    /// How many tokens it vouched for.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// When it last vouched for one.
    pub fn last_used(&self) -> Option<Timestamp> {
        let secs = self.last_used_secs.load(Ordering::Relaxed);
        (secs > 0).then(|| Timestamp::from_secs(secs))
    }

    pub(in crate::token) fn record(&self, now: Timestamp) {
        self.count.fetch_add(1, Ordering::Relaxed);
        // Written once a second at most, so that a hot key's line is not fought over twice.
        if self.last_used_secs.load(Ordering::Relaxed) < now.as_secs() {
            self.last_used_secs.store(now.as_secs(), Ordering::Relaxed);
        }
    }
}

/// The longest signature, that of an RSA key of 8192 bits.
const SIGNATURE_BYTES_MAX: usize = 1024;
