//! The only birthplace of [`Verified`]: every check of a token, in the one order. Reads no clock and fetches no key.

use std::sync::Arc;

use foldhash::HashMap;

use super::bearer::BearerToken;
use super::cache::VerifiedTokens;
use super::claims::{Audience, Claims};
use super::compact::{self, Compact};
use super::event::{self, EventForm, IssuerEvent};
use super::failure::{TokenError, TokenFailure, WantedKey};
use super::header::Header;
use super::json::{Json, Object};
use super::keys::{KeyFault, KeyRing, KeySet, Signer, VerificationKey};
use super::notes::Notes;
use super::source::Source;
use super::terms::{Algorithm, IssuerTerms};
use super::verified::{Verified, VerifiedToken};
use crate::time::Timestamp;

/// Verifies tokens of a fixed set of issuers with a fixed ring of keys.
#[derive(Debug)]
pub struct Verifier {
    /// By `iss`: a key is only ever found under the issuer that the token names.
    issuers: HashMap<Arc<str>, Issuer>,
    verified: Arc<VerifiedTokens>,
}

#[derive(Debug)]
struct Issuer {
    terms: Arc<IssuerTerms>,
    keys: Arc<KeySet>,
}

impl Verifier {
    /// Binds every issuer's terms to its keys. An issuer without an entry in `keys` has none.
    pub fn new(
        issuers: Vec<Arc<IssuerTerms>>,
        keys: &KeyRing,
        verified: Arc<VerifiedTokens>,
    ) -> Self {
        let issuers = issuers.into_iter().map(|terms| {
            let keys = keys.find(&terms.name).cloned().unwrap_or_default();
            (terms.issuer.clone(), Issuer { terms, keys })
        });
        Self {
            issuers: issuers.collect(),
            verified,
        }
    }

    /// Verifies one token at `now`. `accepted` names the issuers that count here; `None` means all.
    ///
    /// A token that was verified before is not verified again while its key is still trusted and its issuer's terms are
    /// the same; its times are checked each time.
    ///
    /// # Errors
    /// The first check that failed, see [`TokenError`].
    pub fn verify(
        &self,
        token: BearerToken<'_>,
        accepted: Option<&[Arc<str>]>,
        now: Timestamp,
    ) -> Result<Verified, TokenFailure> {
        let digest = self.verified.digest(token);
        if let Some((known, key)) = self.recall(&digest) {
            check_accepted(&known.terms, accepted).map_err(TokenFailure::remembered)?;
            if let Err(error) = known.times.check(&known.terms, now) {
                self.verified.remove(&digest);
                return Err(error.of_issuer(&known.terms.name).remembered());
            }
            key.usage().record(now);
            return Ok(Verified::new(known, Source::Cache));
        }
        let known = open(token, |opened| {
            self.verify_afresh(opened, digest, accepted, now)
        });
        let known = Arc::new(known?);
        known.key.usage().record(now);
        self.verified.insert(known.clone());
        Ok(Verified::new(known, Source::Signature))
    }

    /// A token that was verified before, with the key as it is now, while that key is still trusted for its issuer and the
    /// issuer's terms are the same as then.
    fn recall(&self, digest: &[u8; 32]) -> Option<(Arc<VerifiedToken>, &VerificationKey)> {
        let known = self.verified.find(digest)?;
        let issuer = self.issuers.get(&known.terms.issuer)?;
        let same_terms = Arc::ptr_eq(&issuer.terms, &known.terms) || issuer.terms == known.terms;
        let key = issuer.keys.find_uid(&known.key.uid())?;
        same_terms.then_some((known, key))
    }

    /// Every check in the order of the reasons: form, type, issuer, algorithm, key, signature, claims, times, audience.
    fn verify_afresh(
        &self,
        token: &Opened<'_>,
        digest: [u8; 32],
        accepted: Option<&[Arc<str>]>,
        now: Timestamp,
    ) -> Result<VerifiedToken, TokenFailure> {
        let Opened { header, claims, .. } = token;
        let issuer = self.find_issuer(claims, |terms| {
            let mut types = terms.types.iter();
            types.any(|accepted| accepted.eq_ignore_ascii_case(header.typ))
        })?;
        check_accepted(&issuer.terms, accepted)?;
        let terms = &issuer.terms;
        let signer = issuer
            .find_signer(token)
            .map_err(|error| error.of_issuer(&terms.name))?;
        let claims = Claims::read(claims, terms).and_then(|claims| {
            claims.times.check(terms, now)?;
            (claims.audience == Audience::Ours)
                .then_some(claims)
                .ok_or(TokenError::AudienceMismatch)
        });
        let claims = claims.map_err(|error| error.of_issuer(&terms.name))?;
        let Signer::Trusted(key) = signer else {
            return Err(TokenError::KeyDistrusted.of_issuer(&terms.name));
        };
        Ok(VerifiedToken {
            principal: claims.principal,
            times: claims.times,
            generation: claims.generation,
            key: key.clone(),
            terms: terms.clone(),
            digest,
            notes: Notes::default(),
        })
    }

    /// Verifies what an issuer tells of itself, in the same order as any other token. It is remembered nowhere: to hear it
    /// twice is for the caller to notice.
    ///
    /// # Errors
    /// The first check that failed, see [`TokenError`].
    pub fn verify_event(
        &self,
        token: BearerToken<'_>,
        form: EventForm,
        now: Timestamp,
    ) -> Result<IssuerEvent, TokenFailure> {
        open(token, |token| {
            let Opened { header, claims, .. } = token;
            let issuer =
                self.find_issuer(claims, |_| header.typ.eq_ignore_ascii_case(form.typ()))?;
            let name = &issuer.terms.name;
            let signer = issuer.find_signer(token);
            let Signer::Trusted(key) = signer.map_err(|error| error.of_issuer(name))? else {
                return Err(TokenError::KeyDistrusted.of_issuer(name));
            };
            let event = event::read(form, claims, &issuer.terms, key.kid(), now);
            let event = event.map_err(|error| error.of_issuer(name))?;
            key.usage().record(now);
            Ok(event)
        })
    }

    /// The issuer that `iss` names exactly, once its terms accept the `typ`; of an unknown issuer, anybody's.
    fn find_issuer(
        &self,
        claims: &Object<'_>,
        accepts: impl Fn(&IssuerTerms) -> bool,
    ) -> Result<&Issuer, TokenFailure> {
        let issuer = claims
            .find("iss")
            .and_then(Json::as_text)
            .and_then(|iss| self.issuers.get(iss));
        let accepts = |issuer: &Issuer| accepts(&issuer.terms);
        match issuer {
            Some(issuer) if accepts(issuer) => Ok(issuer),
            Some(issuer) => Err(TokenError::TypeRefused.of_issuer(&issuer.terms.name)),
            None if self.issuers.values().any(accepts) => Err(TokenError::IssuerUnknown.into()),
            None => Err(TokenError::TypeRefused.into()),
        }
    }
}

impl Issuer {
    /// The key that made the signature, by an algorithm that the issuer, the key and the header agree on.
    fn find_signer(&self, token: &Opened<'_>) -> Result<Signer<'_>, TokenError> {
        let Opened { parts, header, .. } = token;
        let algorithm = Algorithm::from_name(header.algorithm)
            .filter(|algorithm| self.terms.algorithms.contains(algorithm))
            .ok_or(TokenError::AlgorithmRefused)?;
        let issuer_name = || self.terms.name.clone();
        self.keys
            .find_signer(algorithm, header.kid, parts.signing_input, parts.signature)
            .map_err(|fault| match fault {
                _ if self.keys.is_empty() => TokenError::IssuerUnavailable {
                    issuer_name: issuer_name(),
                },
                KeyFault::AlgorithmRefused => TokenError::AlgorithmRefused,
                KeyFault::Unknown => TokenError::KeyUnknown {
                    issuer_name: issuer_name(),
                    wanted: WantedKey::Unseen,
                },
                KeyFault::Withdrawn => TokenError::KeyUnknown {
                    issuer_name: issuer_name(),
                    wanted: WantedKey::Withdrawn,
                },
                KeyFault::SignatureInvalid => TokenError::SignatureInvalid,
            })
    }
}

/// A token whose form is sound. Nothing in it is trusted yet.
struct Opened<'t> {
    parts: Compact<'t>,
    header: Header<'t>,
    claims: Object<'t>,
}

/// Takes a token apart for `read`; the parts borrow from what is decoded here.
fn open<T>(
    token: BearerToken<'_>,
    read: impl FnOnce(&Opened<'_>) -> Result<T, TokenFailure>,
) -> Result<T, TokenFailure> {
    let parts = Compact::split(token)?;
    let header_bytes = compact::decode(parts.header)?;
    let header_members = members(&header_bytes, "the header is not one strict JSON object")?;
    let header = Header::read(&header_members)?;
    let claims_bytes = compact::decode(parts.claims)?;
    let claims = members(&claims_bytes, "the claims are not one strict JSON object")?;
    read(&Opened {
        parts,
        header,
        claims,
    })
}

fn members<'d>(document: &'d [u8], detail: &'static str) -> Result<Object<'d>, TokenError> {
    Object::parse(document).map_err(|_| TokenError::Malformed(detail))
}

fn check_accepted(terms: &IssuerTerms, accepted: Option<&[Arc<str>]>) -> Result<(), TokenFailure> {
    match accepted {
        Some(names) if !names.contains(&terms.name) => {
            Err(TokenError::IssuerUnknown.of_issuer(&terms.name))
        }
        _ => Ok(()),
    }
}
