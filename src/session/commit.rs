//! What each change means, as steps on the rows of one transaction. A store brings the rows and the transaction; the
//! decisions stand here, once.

use std::time::Duration;

use super::id::TimedId;
use super::lifecycle::Rotation;
use super::revocations::{OWN_ISSUER, Revocation, Revocations, Revoked};
use super::state::{Session, State, Why};
use super::store::{Change, Command, Outcome, Presentation, Use};
use crate::time::{JUMP_MAX, Timestamp};

/// The rows of one transaction that excludes all others.
pub trait Rows {
    /// What can go wrong.
    type Error;

    /// The session of that name.
    ///
    /// # Errors
    /// When the store cannot tell.
    fn find(&mut self, session: TimedId) -> Result<Option<Session>, Self::Error>;

    /// Writes a session, new or known.
    ///
    /// # Errors
    /// When the store cannot write.
    fn save(&mut self, session: &Session) -> Result<(), Self::Error>;

    /// The sessions of a subject that are live at `now`, the oldest first.
    ///
    /// # Errors
    /// When the store cannot tell.
    fn live_of(&mut self, subject: &str, now: Timestamp) -> Result<Vec<Session>, Self::Error>;

    /// Everything that was revoked before: what ended together with others, no row tells.
    fn revocations(&self) -> &Revocations;

    /// A moment at which every session has ended, whatever becomes of it.
    ///
    /// # Errors
    /// When the store cannot tell.
    fn latest_end(&mut self) -> Result<Timestamp, Self::Error>;

    /// Remembers a revocation for whoever shares the store and for the next start.
    ///
    /// # Errors
    /// When the store cannot write.
    fn log(&mut self, revocation: Revocation) -> Result<(), Self::Error>;

    /// Remembers a digest until it expires.
    ///
    /// # Errors
    /// When the store cannot write.
    fn use_once(&mut self, digest: [u8; 32], expires_at: Timestamp) -> Result<Use, Self::Error>;
}

/// Makes one change at `now`.
///
/// # Errors
/// Whatever the rows report; the transaction must then be undone as a whole.
pub fn apply<R: Rows>(rows: &mut R, change: Change, now: Timestamp) -> Result<Outcome, R::Error> {
    let mut step = Step {
        rows,
        now,
        said_at: change.said_at.unwrap_or(now),
        remember: change.remember,
    };
    match change.command {
        Command::Open { session, live_max } => step.open(*session, live_max),
        Command::Rotate(presentation) => step.rotate(*presentation),
        Command::Revoke { session, why } => step.revoke(session, why).map(Outcome::Revoked),
        Command::RevokeSubject { subject, why } => step.revoke_subject(&subject, why),
        Command::Confirm {
            session,
            generation,
        } => step.confirm(session, generation),
        Command::Deny(revocation) => step.deny(revocation),
        Command::UseOnce { digest, expires_at } => {
            step.rows.use_once(digest, expires_at).map(Outcome::Used)
        }
    }
}

struct Step<'r, R> {
    rows: &'r mut R,
    now: Timestamp,
    /// The present, unless the change comes late.
    said_at: Timestamp,
    remember: Duration,
}

impl<R: Rows> Step<'_, R> {
    fn open(&mut self, mut session: Session, live_max: u32) -> Result<Outcome, R::Error> {
        session.begin_at(self.now);
        let mut live = self.rows.live_of(&session.subject, self.now)?;
        // Who ended with their client, or with all, take nobody's place.
        let revocations = self.rows.revocations();
        live.retain(|one| revocations.revoked_by(one, self.now).is_none());
        let room = live_max.max(1) as usize - 1;
        let displaced = live.len().saturating_sub(room);
        for oldest in live.into_iter().take(displaced) {
            self.kill(oldest, Why::Displaced)?;
        }
        self.rows.save(&session)?;
        Ok(Outcome::Opened(Box::new(session)))
    }

    fn rotate(&mut self, presentation: Presentation) -> Result<Outcome, R::Error> {
        let Some(mut session) = self.rows.find(presentation.token.session())? else {
            return Ok(Outcome::Rotated(None));
        };
        let attempt = presentation.attempt();
        let rotation = session.rotate(
            &attempt,
            self.now,
            &presentation.terms,
            presentation.key,
            presentation.vouched.clone(),
        );
        match rotation {
            Rotation::Rotated | Rotation::Recovered => {
                session.handle = presentation.handle.or(session.handle);
                session.device.address = presentation.address;
                self.rows.save(&session)?;
            }
            Rotation::Replayed => self.rows.save(&session)?,
            Rotation::Killed(_) => {
                self.rows.save(&session)?;
                self.log_session(session.id)?;
            }
            _ => {}
        }
        Ok(Outcome::Rotated(Some((rotation, Box::new(session)))))
    }

    /// Ends a session. One that the store does not know has access tokens all the same if the store was set back: to an
    /// earlier copy, or to nothing.
    fn revoke(&mut self, session: TimedId, why: Why) -> Result<Vec<TimedId>, R::Error> {
        match self.rows.find(session)? {
            Some(found) => self.end(found, why),
            None => self.log_session(session).map(|()| Vec::new()),
        }
    }

    fn end(&mut self, found: Session, why: Why) -> Result<Vec<TimedId>, R::Error> {
        if found.state != State::Active {
            return Ok(Vec::new());
        }
        let ended = vec![found.id];
        self.kill(found, why)?;
        Ok(ended)
    }

    fn revoke_subject(&mut self, subject: &str, why: Why) -> Result<Outcome, R::Error> {
        let ended = self.end_all_of(subject, why)?;
        self.rows.log(Revocation {
            what: Revoked::Subject(subject.into()),
            issuer: Some(OWN_ISSUER.into()),
            cutoff: self.now,
            expires_at: self.now.plus(self.remember),
        })?;
        Ok(Outcome::Revoked(ended))
    }

    fn end_all_of(&mut self, subject: &str, why: Why) -> Result<Vec<TimedId>, R::Error> {
        let mut live = self.rows.live_of(subject, self.now)?;
        live.retain(|session| session.id.given_at() <= self.said_at);
        let ended = live.iter().map(|session| session.id).collect();
        for session in live {
            self.kill(session, why)?;
        }
        Ok(ended)
    }

    fn confirm(&mut self, session: TimedId, generation: u64) -> Result<Outcome, R::Error> {
        if let Some(mut found) = self.rows.find(session)? {
            let before = found.confirmed;
            found.confirm(generation);
            if found.confirmed != before {
                self.rows.save(&found)?;
            }
        }
        Ok(Outcome::Done)
    }

    /// An operator's word. Where it names sessions of our own, they die with it.
    fn deny(&mut self, mut said: Revocation) -> Result<Outcome, R::Error> {
        // It was said while the clock had jumped, and shall not keep anybody out until then.
        if said.cutoff > self.now.plus(JUMP_MAX) {
            said.cutoff = self.now;
        }
        let mut ended = Vec::new();
        if said.issuer.as_deref().is_none_or(|one| one == OWN_ISSUER) {
            ended = self.deny_own(&said)?;
        }
        self.rows.log(said)?;
        Ok(Outcome::Revoked(ended))
    }

    fn deny_own(&mut self, said: &Revocation) -> Result<Vec<TimedId>, R::Error> {
        let mut ended = Vec::new();
        let mut until = said.expires_at;
        match &said.what {
            Revoked::Session(sid) => {
                // Another issuer's name counts as it is written; ours is known in any case.
                return match TimedId::parse(&sid.to_ascii_lowercase()) {
                    Some(session) => self.revoke(session, Why::Operator),
                    None => Ok(Vec::new()),
                };
            }
            Revoked::Token(_) | Revoked::Key(_) => return Ok(Vec::new()),
            Revoked::Entitlements(_) => {}
            Revoked::Subject(subject) => ended = self.end_all_of(subject, Why::Operator)?,
            // Which end at their next refresh: also those that began under longer lifetimes.
            Revoked::Client(_) | Revoked::Tenant(_) | Revoked::All => {
                until = until.max(self.rows.latest_end()?)
            }
        }
        // Our own sessions began at the store's time, which may lie ahead of the one that the operator spoke at.
        if said.cutoff < self.said_at || said.expires_at < until {
            self.rows.log(Revocation {
                issuer: Some(OWN_ISSUER.into()),
                cutoff: self.said_at,
                expires_at: until.max(self.now.plus(self.remember)),
                what: said.what.clone(),
            })?;
        }
        Ok(ended)
    }

    fn kill(&mut self, mut session: Session, why: Why) -> Result<(), R::Error> {
        session.revoke(self.now, why);
        self.rows.save(&session)?;
        self.log_session(session.id)
    }

    fn log_session(&mut self, session: TimedId) -> Result<(), R::Error> {
        self.rows.log(Revocation {
            what: Revoked::Session(session.to_string().into()),
            issuer: Some(OWN_ISSUER.into()),
            cutoff: self.now,
            expires_at: self.now.plus(self.remember),
        })
    }
}
