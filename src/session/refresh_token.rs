//! Refresh tokens are derived, not stored: from the session's name, a generation and a salt that lies with the session,
//! under a master key that does not. Neither of the two alone forges one.
//!
//! ```text
//! payload = version(1) ‖ key id(4) ‖ session(16) ‖ generation(LEB128)
//! early   = HMAC-SHA256(K_early, payload)[0..8]              refuses noise without a look at the store
//! tag     = HMAC-SHA256(HKDF(master, salt of the session), payload ‖ early)[0..24]
//! token   = "tgr_" ‖ base64url(payload ‖ early ‖ tag)
//! ```
//!
//! Deriving twice gives the same token twice, so a retry is answered alike without keeping anything.

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt as HkdfSalt};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use super::id::TimedId;
use crate::secret::Secret;

/// What a session keeps so that its tokens can be derived: 32 bytes of entropy, made once at login.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// Names a master key without telling anything of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 4]);

/// The master keys: the first derives, all are understood.
#[derive(Debug)]
pub struct RefreshKeys(Vec<RefreshKey>);

#[derive(Debug)]
struct RefreshKey {
    id: KeyId,
    early: hmac::Key,
    master: Secret,
}

/// What derives and checks the tokens of one session under one master key. To make it takes longer than to use it.
pub struct SessionKey<'k> {
    master: &'k RefreshKey,
    tags: hmac::Key,
}

/// Two master keys are the same, or there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshKeysError;

impl std::fmt::Display for RefreshKeysError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("refresh keys must be at least one, and all different")
    }
}

impl std::error::Error for RefreshKeysError {}

/// A token that could be ours: it is spelled canonically and its early tag fits. Nothing is proven of its session yet.
#[derive(Debug, Clone)]
pub struct Presented {
    key: KeyId,
    session: TimedId,
    generation: u64,
    signed: Vec<u8>,
    tag: [u8; TAG],
}

/// The proof that a token was derived here for one generation of one session. Only [`SessionKey::verify`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Genuine {
    session: TimedId,
    generation: u64,
}

/// It is no token of ours: misspelled, forged, or derived with a key that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forged;

impl std::fmt::Display for Forged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a refresh token of this gate")
    }
}

impl std::error::Error for Forged {}

impl RefreshKeys {
    /// Takes the master keys over, the active one first.
    ///
    /// # Errors
    /// [`RefreshKeysError`] when there is none, or one stands twice.
    pub fn new(masters: &[Secret]) -> Result<Self, RefreshKeysError> {
        let keys: Vec<RefreshKey> = masters.iter().map(RefreshKey::new).collect();
        let distinct = (1..keys.len()).all(|at| keys[..at].iter().all(|key| key.id != keys[at].id));
        if keys.is_empty() || !distinct {
            return Err(RefreshKeysError);
        }
        Ok(Self(keys))
    }

    /// The key that derives new tokens.
    pub fn active(&self) -> KeyId {
        self.0[0].id
    }

    /// The key of the session with this salt under one master key. `None` when that one is gone.
    pub fn of_session(&self, master: KeyId, salt: &Salt) -> Option<SessionKey<'_>> {
        let master = self.find(master)?;
        let tags = subkey(&master.master, &salt.0, b"tollgate-rt-v1");
        Some(SessionKey { master, tags })
    }

    /// Reads a token and checks its early tag: noise ends here, without a look at the store.
    ///
    /// # Errors
    /// [`Forged`], whatever is wrong with it.
    pub fn parse(&self, token: &str) -> Result<Presented, Forged> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Forged);
        }
        let encoded = token.strip_prefix(REFRESH_TOKEN_PREFIX).ok_or(Forged)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Forged)?;
        let (signed, tag) = bytes
            .split_last_chunk::<TAG>()
            .filter(|(signed, _)| signed.len() > FIXED + EARLY)
            .ok_or(Forged)?;
        let (payload, early) = signed.split_last_chunk::<EARLY>().ok_or(Forged)?;
        let (key, session, generation) = read_payload(payload).ok_or(Forged)?;
        let expected = self.find(key).ok_or(Forged)?.early_tag(payload);
        if !bool::from(expected.ct_eq(early)) {
            return Err(Forged);
        }
        Ok(Presented {
            key,
            session,
            generation,
            signed: signed.to_vec(),
            tag: *tag,
        })
    }

    /// The master key of that name, for what else is derived from it.
    pub(super) fn master(&self, id: KeyId) -> Option<&Secret> {
        self.find(id).map(|key| &key.master)
    }

    fn find(&self, id: KeyId) -> Option<&RefreshKey> {
        self.0.iter().find(|key| key.id == id)
    }
}

impl RefreshKey {
    fn new(master: &Secret) -> Self {
        let hash = digest::digest(&SHA256, &[b"tollgate-rt-id", master.expose()].concat());
        Self {
            id: KeyId(*hash.as_ref().first_chunk().expect("a digest has 32 bytes")),
            early: subkey(master, b"", b"tollgate-rt-early-v1"),
            master: master.clone(),
        }
    }

    fn early_tag(&self, payload: &[u8]) -> [u8; EARLY] {
        truncated(&self.early, payload)
    }
}

impl SessionKey<'_> {
    /// The master key that it lies under.
    pub fn master(&self) -> KeyId {
        self.master.id
    }

    /// Derives the token of one generation.
    pub fn derive(&self, session: TimedId, generation: u64) -> String {
        let mut bytes = payload(self.master.id, session, generation);
        bytes.extend_from_slice(&self.master.early_tag(&bytes));
        let tag: [u8; TAG] = truncated(&self.tags, &bytes);
        bytes.extend_from_slice(&tag);
        REFRESH_TOKEN_PREFIX.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Checks the whole tag of a token that names this session.
    ///
    /// # Errors
    /// [`Forged`] when it was not derived with this key.
    pub fn verify(&self, presented: &Presented) -> Result<Genuine, Forged> {
        let expected: [u8; TAG] = truncated(&self.tags, &presented.signed);
        let is_ours = self.master.id == presented.key && bool::from(expected.ct_eq(&presented.tag));
        match is_ours {
            true => Ok(Genuine {
                session: presented.session,
                generation: presented.generation,
            }),
            false => Err(Forged),
        }
    }
}

impl Presented {
    /// The master key it names.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// The session it names.
    pub fn session(&self) -> TimedId {
        self.session
    }
}

impl Genuine {
    /// The session it belongs to.
    pub fn session(&self) -> TimedId {
        self.session
    }

    /// The generation it was derived for.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

fn subkey(master: &Secret, salt: &[u8], info: &[u8]) -> hmac::Key {
    let prk = HkdfSalt::new(HKDF_SHA256, salt).extract(master.expose());
    let infos = [info];
    let okm = prk
        .expand(&infos, HMAC_SHA256)
        .expect("a key of one hash is within HKDF's length");
    hmac::Key::from(okm)
}

fn truncated<const N: usize>(key: &hmac::Key, message: &[u8]) -> [u8; N] {
    *hmac::sign(key, message)
        .as_ref()
        .first_chunk()
        .expect("a tag has 32 bytes")
}

fn payload(key: KeyId, session: TimedId, generation: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(FIXED + LEB128_BYTES_MAX + EARLY + TAG);
    bytes.push(VERSION);
    bytes.extend_from_slice(&key.0);
    bytes.extend_from_slice(session.as_bytes());
    let mut rest = generation;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// Reads a payload; one that [`payload`] would not have written is none.
fn read_payload(bytes: &[u8]) -> Option<(KeyId, TimedId, u64)> {
    let key = KeyId(*bytes.get(1..)?.first_chunk()?);
    let session = TimedId::from_bytes(*bytes.get(5..)?.first_chunk()?)?;
    let number = bytes
        .get(FIXED..)
        .filter(|number| number.len() <= LEB128_BYTES_MAX)?;
    let generation = number.iter().rev().try_fold(0_u64, |value, byte| {
        Some(value.checked_mul(0x80)? | u64::from(byte & 0x7f))
    })?;
    (payload(key, session, generation) == bytes).then_some((key, session, generation))
}

/// What every refresh token begins with.
pub const REFRESH_TOKEN_PREFIX: &str = "tgr_";
const VERSION: u8 = 1;
/// Version, key id and session.
const FIXED: usize = 1 + 4 + 16;
const EARLY: usize = 8;
const TAG: usize = 24;
const LEB128_BYTES_MAX: usize = 10;
/// The longest token in characters: base64 of every part at its longest.
const TOKEN_BYTES_MAX: usize =
    REFRESH_TOKEN_PREFIX.len() + (FIXED + LEB128_BYTES_MAX + EARLY + TAG).div_ceil(3) * 4;
