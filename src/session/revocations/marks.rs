//! What a revocation can know a token, a session or a key by. Knows nothing of what is revoked.

use super::revocation::OWN_ISSUER;
use crate::session::id::TimedId;
use crate::time::Timestamp;
use crate::token::Verified;

/// What a revocation can know a token by.
#[derive(Debug)]
pub(super) struct Marks<'a> {
    pub(super) issuer: &'a str,
    pub(super) session: Option<&'a str>,
    pub(super) subject: Option<&'a str>,
    pub(super) client: Option<&'a str>,
    pub(super) tenant: Option<&'a str>,
    pub(super) token: Option<&'a str>,
    pub(super) key: Option<&'a str>,
    /// When its session began; when it was issued, where that is not told.
    pub(super) begun_at: Timestamp,
    /// When it was issued, as it says.
    pub(super) dated_at: Timestamp,
    /// The same, at the earliest.
    pub(super) issued_at: Timestamp,
}

impl<'a> Marks<'a> {
    pub(super) fn of_token(verified: &'a Verified) -> Self {
        let principal = verified.principal();
        let session = principal.session.as_deref();
        let token = principal.token_id.as_deref();
        let own = *principal.issuer_name == *OWN_ISSUER;
        let told = |id: Option<&str>| {
            let id = id.filter(|_| own).and_then(TimedId::parse);
            id.map(|id| id.given_at())
        };
        // Without any `iat` nothing shows that it is younger than a cutoff. Whole seconds: RFC 7519 §2.
        let second = verified.issued_at().map_or(0, Timestamp::as_secs);
        let said = Timestamp::from_secs(second);
        Self {
            issuer: &principal.issuer_name,
            session,
            subject: Some(&principal.subject),
            client: principal.client.as_deref(),
            tenant: principal.tenant.as_deref(),
            token,
            key: verified.kid(),
            begun_at: told(session).or(told(token)).unwrap_or(said),
            dated_at: told(token).unwrap_or(said),
            // The clock of an issuer may run ahead by as much as the leeway.
            issued_at: told(token).unwrap_or(said.minus(verified.leeway())),
        }
    }

    /// Of a session of the gate's own, by the `name` of its id. Slots are not asked: they would refuse what nobody can get
    /// anew.
    pub(super) fn of_session(
        session: TimedId,
        name: &'a str,
        subject: &'a str,
        client: &'a str,
        tenant: Option<&'a str>,
    ) -> Self {
        Self {
            issuer: OWN_ISSUER,
            session: Some(name),
            subject: Some(subject),
            client: Some(client),
            tenant,
            token: None,
            key: None,
            begun_at: session.given_at(),
            dated_at: Timestamp::from_millis(u64::MAX),
            issued_at: Timestamp::from_millis(u64::MAX),
        }
    }

    /// Of the key `kid` of an issuer.
    pub(super) fn of_key(issuer: &'a str, kid: &'a str, now: Timestamp) -> Self {
        Self {
            issuer,
            session: None,
            subject: None,
            client: None,
            tenant: None,
            token: None,
            key: Some(kid),
            begun_at: now,
            dated_at: now,
            issued_at: now,
        }
    }
}
