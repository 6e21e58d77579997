//! One refresh, step by step. Every step that can fail comes before the one that consumes the token, and that one is
//! durable before anybody hears of it. Knows no HTTP and no runtime.

use std::future::Future;

use super::entropy::Entropy;
use super::grant::Grant;
use super::id::TimedId;
use super::lifecycle::{Rotation, Terms, Vouched};
use super::observer::{Event, Occasion};
use super::refreshed::{RefreshError, Refreshed};
use super::revocations::RevokedBy;
use super::service::{Found, SessionService};
use super::state::{Context, Session, State, Transport, Why};
use super::store::{Command, Committed, Outcome, Presentation, SessionStore};
use crate::time::Timestamp;

/// A refresh as the wire had it.
#[derive(Clone)]
pub struct Refresh<'a> {
    /// The refresh token.
    pub token: &'a str,
    /// The client that authenticated; `None` where the cookie alone speaks.
    pub client: Option<&'a str>,
    /// How the token travelled.
    pub transport: Transport,
    /// The scope asked for.
    pub scope: Option<&'a str>,
    /// The operator's terms for a session; the error where its client is no longer one.
    pub terms: &'a (dyn Fn(&Session) -> Result<Terms, RefreshError> + Sync),
    /// Where it came from.
    pub context: Context,
    /// The address it came from.
    pub address: &'a str,
    /// The present.
    pub now: Timestamp,
    /// `X-Request-Id`, for whoever hears of it.
    pub request_id: &'a str,
}

/// What the identity service is asked at a refresh.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Which session.
    pub session: TimedId,
    /// Which generation: all who ask for the same one may share an answer.
    pub generation: u64,
    /// Whose.
    pub subject: Box<str>,
    /// `client_id`.
    pub client: Box<str>,
    /// The version that the identity service gave last.
    pub claims_version: Option<String>,
    /// The identity service's own handle.
    pub handle: Option<String>,
    /// What it said last: what it does not name stays.
    pub grant: Grant,
}

/// What the identity service says at a refresh.
#[derive(Debug, Clone)]
pub enum ClaimsAnswer {
    /// This, from now on, and perhaps another handle.
    Renewed(Box<Grant>, Option<String>),
    /// The same as before.
    Unchanged,
    /// The subject is gone.
    Denied,
    /// Nothing.
    Unavailable,
    /// Something of another subject: its last word does not hold either.
    Contradicted,
}

/// Asks the identity service what a subject may do now.
pub trait Claims: Send + Sync {
    /// Asks. Without a claims hook: [`ClaimsAnswer::Unchanged`], and nobody puts the question together.
    fn ask(&self, ask: impl FnOnce() -> Ask + Send) -> impl Future<Output = ClaimsAnswer> + Send;
}

impl<S: SessionStore> SessionService<S> {
    /// Answers a refresh: reads, checks, asks the identity service, and only then spends the token. The observer hears of it.
    ///
    /// # Errors
    /// [`RefreshError`]. Whatever is not [`RefreshError::Refused`] with [`Rotation::Killed`], or
    /// [`RefreshError::Denied`], left the session as it was.
    pub async fn refresh(
        &self,
        refresh: &Refresh<'_>,
        claims: &impl Claims,
        entropy: &dyn Entropy,
    ) -> Result<Refreshed, RefreshError> {
        let mut found = None;
        let refreshed = self.walk(refresh, claims, entropy, &mut found).await;
        if let Some(event) = event(&refreshed) {
            let dead = found.as_ref().filter(|_| event == Event::Dead);
            let why = dead.and_then(|found| self.dead_by(&found.session, refresh.now));
            let told = occasion(refresh, found.as_ref());
            self.observer.session(event, &Occasion { why, ..told });
        }
        refreshed
    }

    async fn walk<'s>(
        &'s self,
        refresh: &Refresh<'_>,
        claims: &impl Claims,
        entropy: &dyn Entropy,
        found: &mut Option<Found<'s>>,
    ) -> Result<Refreshed, RefreshError> {
        let found = &*found.insert(self.find(refresh.token).await?);
        let session = &found.session;
        if self.revocations.revoked_by(session, refresh.now).is_some() {
            return Err(RefreshError::Refused(Rotation::Revoked));
        }
        let terms = (refresh.terms)(session)?;
        let mut presentation = self.presentation(found, refresh, terms);
        let foreseen = session.decide(&presentation.attempt(), refresh.now, &terms);
        match foreseen {
            Rotation::Rotated | Rotation::Recovered => {
                narrow(&session.grant, refresh.scope)?;
                let renewed = self.renew(session, claims, refresh, entropy);
                (presentation.vouched, presentation.handle) = renewed.await?;
            }
            Rotation::Replayed => {
                narrow(&session.grant, refresh.scope)?;
            }
            // Decided again by the store, alone with the session.
            Rotation::Killed(_) => {}
            refused => return Err(RefreshError::Refused(refused)),
        }
        let command = Command::Rotate(Box::new(presentation));
        let Committed { at, outcome } = self.commit(command).await?;
        let Outcome::Rotated(Some((rotation, session))) = outcome else {
            return Err(RefreshError::Unknown);
        };
        self.refreshed(rotation, *session, found, refresh.scope, at)
    }

    /// Why a session was dead when its token came.
    fn dead_by(&self, session: &Session, now: Timestamp) -> Option<&'static str> {
        match session.state {
            State::Revoked { why, .. } => Some(why.as_str()),
            State::Active if session.is_live(now) => self
                .revocations
                .revoked_by(session, now)
                .map(RevokedBy::as_str),
            State::Active => Some("expired"),
        }
    }

    fn presentation(&self, found: &Found<'_>, refresh: &Refresh<'_>, terms: Terms) -> Presentation {
        Presentation {
            token: found.token,
            client: refresh.client.unwrap_or(&found.session.client).into(),
            transport: refresh.transport,
            context: refresh.context,
            address: refresh.address.into(),
            terms,
            key: self.keys.active(),
            vouched: Vouched::Silent,
            handle: None,
        }
    }

    async fn renew(
        &self,
        session: &Session,
        claims: &impl Claims,
        refresh: &Refresh<'_>,
        entropy: &dyn Entropy,
    ) -> Result<(Vouched, Option<Box<[u8]>>), RefreshError> {
        let (id, generation) = (session.id, session.generation);
        let kept = || self.keys.open(&session.salt, session.handle.as_deref()?);
        let handle = self.unkept.find(id, generation).or_else(kept);
        let ask = || Ask {
            session: id,
            generation,
            subject: session.subject.clone(),
            client: session.client.clone(),
            claims_version: session.grant.claims_version.clone(),
            handle: handle.clone(),
            grant: session.grant.clone(),
        };
        // Also what stays is sealed anew: the master key that it lies under may leave.
        let seal = |handle: Option<String>| {
            handle.map(|handle| self.keys.seal(&session.salt, &handle, entropy))
        };
        match claims.ask(ask).await {
            ClaimsAnswer::Renewed(grant, given) => {
                if let Some(given) = &given {
                    self.unkept.note(id, generation, given);
                }
                narrow(&grant, refresh.scope)?;
                Ok((Vouched::For(grant), seal(given.or(handle))))
            }
            // It vouched for the same again: the bridge over an outage begins anew.
            ClaimsAnswer::Unchanged => Ok((Vouched::Same, seal(handle))),
            ClaimsAnswer::Denied => {
                self.revoke(id, Why::Denied).await?;
                Err(RefreshError::Denied)
            }
            ClaimsAnswer::Unavailable
                if refresh.now.since(session.granted_at) <= self.stale_ok
                    && !self.stale_ok.is_zero() =>
            {
                Ok((Vouched::Silent, seal(handle)))
            }
            ClaimsAnswer::Unavailable | ClaimsAnswer::Contradicted => {
                Err(RefreshError::ClaimsUnavailable)
            }
        }
    }

    fn refreshed(
        &self,
        rotation: Rotation,
        session: Session,
        found: &Found<'_>,
        scope: Option<&str>,
        at: Timestamp,
    ) -> Result<Refreshed, RefreshError> {
        match rotation {
            Rotation::Rotated | Rotation::Recovered => {
                self.unkept
                    .forget(found.session.id, found.session.generation);
            }
            Rotation::Replayed => {}
            refused => return Err(RefreshError::Refused(refused)),
        }
        // Unless the master key was changed in the meantime, what checked the token derives its successor.
        let refresh_token = match session.key == found.key.master() {
            true => found.key.derive(session.id, session.generation),
            false => self.derive(&session).ok_or(RefreshError::KeyGone)?,
        };
        Ok(Refreshed {
            refresh_token,
            scope: narrow(&session.grant, scope)?,
            session,
            rotation,
            at,
        })
    }
}

/// The word for what became of a refresh; none where nothing is to be learned from it.
fn event(refreshed: &Result<Refreshed, RefreshError>) -> Option<Event> {
    let rotation = match refreshed {
        Ok(refreshed) => refreshed.rotation,
        Err(RefreshError::Refused(rotation)) => *rotation,
        Err(error) => return failed(*error),
    };
    Some(match rotation {
        Rotation::Rotated => Event::Refresh,
        Rotation::Recovered => Event::Recovered,
        Rotation::Replayed => Event::Replay,
        Rotation::Exhausted => Event::ReplaysExhausted,
        Rotation::Killed(Why::ForeignReplay) => Event::ForeignReplay,
        Rotation::Killed(_) => Event::Reuse,
        Rotation::Revoked | Rotation::Expired => Event::Dead,
        Rotation::OtherClient => Event::ClientMismatch,
        Rotation::OtherTransport => Event::TransportMismatch,
    })
}

fn failed(error: RefreshError) -> Option<Event> {
    match error {
        RefreshError::Forged => Some(Event::Forged),
        RefreshError::Denied => Some(Event::Denied),
        RefreshError::ClaimsUnavailable => Some(Event::HookUnavailable),
        RefreshError::Store(_) => Some(Event::StoreUnavailable),
        RefreshError::Unknown | RefreshError::KeyGone => Some(Event::Dead),
        RefreshError::ScopeRefused | RefreshError::Refused(_) => None,
    }
}

fn occasion<'a>(refresh: &Refresh<'a>, found: Option<&Found<'_>>) -> Occasion<'a> {
    let behind = |found: &Found<'_>| {
        let presented = found.token.generation();
        found.session.generation.saturating_sub(presented)
    };
    Occasion {
        transport: Some(refresh.transport),
        session: found.map(|found| found.session.id),
        client: refresh.client,
        behind: found.map(behind),
        why: None,
        age: found.map(|found| refresh.now.since(found.session.rotated_at)),
        request_id: refresh.request_id,
    }
}

fn narrow(grant: &Grant, asked: Option<&str>) -> Result<String, RefreshError> {
    grant
        .narrowed(asked.unwrap_or_default())
        .ok_or(RefreshError::ScopeRefused)
}
