//! The proof that a token was verified.

use std::sync::Arc;
use std::time::Duration;

use super::keys::VerificationKey;
use super::notes::Notes;
use super::source::Source;
use super::terms::IssuerTerms;
use super::times::Times;
use crate::principal::Principal;
use crate::time::Timestamp;

/// A principal whose token passed every check at one moment. Only [`Verifier::verify`](super::Verifier::verify) makes one:
///
/// ```compile_fail,E0451
/// use tollgate::token::{Source, Verified};
///
/// fn forge(honest: Verified) -> Verified {
///     Verified { source: Source::Signature, ..honest }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Verified {
    token: Arc<VerifiedToken>,
    source: Source,
}

/// What is remembered of a token whose signature and claims were checked: facts, never a decision. Immutable.
#[derive(Debug)]
pub(super) struct VerifiedToken {
    pub(super) principal: Principal,
    pub(super) times: Times,
    /// `rtg`.
    pub(super) generation: Option<u64>,
    /// The key that signed it.
    pub(super) key: Arc<VerificationKey>,
    /// What it was held to.
    pub(super) terms: Arc<IssuerTerms>,
    /// The keyed digest of the whole token.
    pub(super) digest: [u8; 32],
    /// What others made of it.
    pub(super) notes: Notes,
}

impl Verified {
    pub(super) fn new(token: Arc<VerifiedToken>, source: Source) -> Self {
        Self { token, source }
    }

    /// Whose token it is.
    pub fn principal(&self) -> &Principal {
        &self.token.principal
    }

    /// `exp`.
    pub fn expires_at(&self) -> Timestamp {
        self.token.times.expires_at
    }

    /// `iat`.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.token.times.issued_at
    }

    /// How far its issuer's clock may differ.
    pub fn leeway(&self) -> Duration {
        self.token.terms.leeway
    }

    /// A digest of the whole token under this process's key: names the token without being it. ECDSA signatures can be
    /// respelled, so one grant may have many digests: fit for caches and logs, not for revoking a token or spotting a replay.
    pub fn digest(&self) -> &[u8; 32] {
        &self.token.digest
    }

    /// What others made of the token, kept for as long as it is remembered.
    pub fn notes(&self) -> &Notes {
        &self.token.notes
    }

    /// `kid` of the key that signed it, as its key set has it.
    pub fn kid(&self) -> Option<&str> {
        self.token.key.kid()
    }

    /// `rtg`: the generation of the refresh token it came with, on access tokens of this house.
    pub fn generation(&self) -> Option<u64> {
        self.token.generation
    }

    /// Where the knowledge that the signature holds came from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// For `explain`: issuer, key, algorithm and times, no secret.
    pub fn summary(&self) -> String {
        let times = &self.token.times;
        let mut summary = format!(
            "issuer {}, key {}, {}, exp {}",
            self.principal().issuer_name,
            self.kid().unwrap_or("without kid"),
            self.token.key.algorithm().as_str(),
            times.expires_at.as_secs(),
        );
        for (name, date) in [("iat", times.issued_at), ("nbf", times.not_before)] {
            if let Some(date) = date {
                summary.push_str(&format!(", {name} {}", date.as_secs()));
            }
        }
        summary
    }
}
