//! The session side without its wire: opens, finds and ends sessions on a store that it is given. Refreshing is a story of
//! its own, in `refresh`.

use std::sync::Arc;
use std::time::Duration;

use super::entropy::Entropy;
use super::grant::Grant;
use super::id::TimedId;
use super::lifecycle::Rotation;
use super::observer::Observer;
use super::refresh_token::{Genuine, RefreshKeys, Salt, SessionKey};
use super::refreshed::{RefreshError, Refreshed};
use super::revocations::{OWN_ISSUER, Revocation, Revocations, Revoked};
use super::state::{Context, Device, ForeignReplays, Session, State, Transport, Why};
use super::store::{Change, Command, Committed, Outcome, SessionStore, StoreError, Use};
use super::unkept::Unkept;
use crate::time::Timestamp;

/// Opens, refreshes and ends sessions.
pub struct SessionService<S> {
    store: Arc<S>,
    pub(super) keys: RefreshKeys,
    pub(super) revocations: Arc<Revocations>,
    pub(super) observer: Arc<dyn Observer>,
    remember: Duration,
    pub(super) stale_ok: Duration,
    pub(super) unkept: Arc<Unkept>,
}

/// A session about to begin.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Whose.
    pub subject: Box<str>,
    /// `client_id`.
    pub client: Box<str>,
    /// How its tokens travel.
    pub transport: Transport,
    /// What its access tokens say.
    pub grant: Grant,
    /// The identity service's own handle.
    pub handle: Option<String>,
    /// How long it lives without a refresh.
    pub idle_lifetime: Duration,
    /// How long it lives at most.
    pub absolute_lifetime: Duration,
    /// Where the login came from.
    pub context: Context,
    /// For the list of devices.
    pub device: Device,
    /// How many sessions of one subject may live.
    pub live_max: u32,
}

/// A genuine token, its session, and the key that vouched for the one in the name of the other.
pub struct Found<'k> {
    /// The proof.
    pub token: Genuine,
    /// As it was last committed.
    pub session: Session,
    pub(super) key: SessionKey<'k>,
}

impl<S: SessionStore> SessionService<S> {
    /// A service on `store`. `remember`: the longest life of an access token and its leeway; `stale_ok`: how long the
    /// identity service's last word holds while it is silent; `unkept`: the handles of refreshes that failed.
    pub fn new(
        store: Arc<S>,
        keys: RefreshKeys,
        revocations: Arc<Revocations>,
        observer: Arc<dyn Observer>,
        remember: Duration,
        stale_ok: Duration,
        unkept: Arc<Unkept>,
    ) -> Self {
        Self {
            store,
            keys,
            revocations,
            observer,
            remember,
            stale_ok,
            unkept,
        }
    }

    /// Opens a session at the store's time.
    ///
    /// # Errors
    /// [`StoreError`]: no session, no token.
    pub async fn open(
        &self,
        new: NewSession,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Refreshed, StoreError> {
        let live_max = new.live_max;
        let session = self.draft(new, now, entropy);
        let command = Command::Open {
            session: Box::new(session),
            live_max,
        };
        let Committed { at, outcome } = self.commit(command).await?;
        let Outcome::Opened(session) = outcome else {
            return Err(StoreError::Unavailable);
        };
        let refresh_token = self
            .derive(&session)
            .expect("the active key derives, and it is there");
        Ok(Refreshed {
            scope: session.grant.scope.clone(),
            session: *session,
            refresh_token,
            rotation: Rotation::Rotated,
            at,
        })
    }

    /// Reads a refresh token and its session, whatever became of it: any genuine token may end its session.
    ///
    /// # Errors
    /// [`RefreshError::Forged`], [`RefreshError::Unknown`], [`RefreshError::Store`].
    pub async fn find(&self, token: &str) -> Result<Found<'_>, RefreshError> {
        let forged = |_| RefreshError::Forged;
        let presented = self.keys.parse(token).map_err(forged)?;
        let session = self.store.load(presented.session()).await?;
        let session = session.ok_or(RefreshError::Unknown)?;
        let key = self.keys.of_session(presented.key(), &session.salt);
        let key = key.ok_or(RefreshError::Forged)?;
        let token = key.verify(&presented).map_err(forged)?;
        Ok(Found {
            token,
            session,
            key,
        })
    }

    /// One session by its name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load(&self, session: TimedId) -> Result<Option<Session>, StoreError> {
        self.store.load(session).await
    }

    /// The sessions of a subject that may still rotate, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn live_of(&self, subject: &str, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let mut live = self.store.live_of(subject).await?;
        live.retain(|session| self.is_live(session, now));
        Ok(live)
    }

    /// Whether a session may still rotate: neither the store nor what is revoked since says otherwise.
    pub fn is_live(&self, session: &Session, now: Timestamp) -> bool {
        session.is_live(now) && self.revocations.revoked_by(session, now).is_none()
    }

    /// When a token begins that no session speaks for.
    pub fn beginning(&self, now: Timestamp) -> Timestamp {
        self.revocations.beginning(now)
    }

    /// Ends one session.
    ///
    /// # Errors
    /// [`StoreError`]: it may live on.
    pub async fn revoke(&self, session: TimedId, why: Why) -> Result<(), StoreError> {
        self.commit(Command::Revoke { session, why })
            .await
            .map(|_| ())
    }

    /// Ends a session whose token was given back. Nothing of it counts here any more, whatever the store says.
    ///
    /// # Errors
    /// [`StoreError`]: other processes, and this one after a restart, may not know yet.
    pub async fn give_back(&self, session: TimedId, now: Timestamp) -> Result<(), StoreError> {
        let given_back = self.revoke(session, Why::Returned).await;
        if given_back.is_err() {
            let revocation = Revocation {
                what: Revoked::Session(session.to_string().into()),
                issuer: Some(OWN_ISSUER.into()),
                cutoff: now,
                expires_at: now.plus(self.remember),
            };
            self.revocations.revoke(revocation, now);
        }
        given_back
    }

    /// Ends all sessions of a subject that have begun.
    ///
    /// # Errors
    /// [`StoreError`]: they may live on.
    pub async fn revoke_subject(&self, subject: &str, why: Why) -> Result<(), StoreError> {
        let subject = subject.into();
        self.commit(Command::RevokeSubject { subject, why })
            .await
            .map(|_| ())
    }

    /// Revokes something else. It counts here no more, whatever the store says.
    ///
    /// # Errors
    /// [`StoreError`]: other processes, and this one after a restart, may not know yet.
    pub async fn deny(&self, revocation: Revocation) -> Result<(), StoreError> {
        let denied = self.commit(Command::Deny(revocation.clone())).await;
        if denied.is_err() {
            let now = revocation.cutoff;
            self.revocations.revoke(revocation, now);
        }
        denied.map(|_| ())
    }

    /// Notes that an access token of a generation was seen.
    ///
    /// # Errors
    /// [`StoreError`]: the tail of that generation stays open until its window ends.
    pub async fn confirm(&self, session: TimedId, generation: u64) -> Result<(), StoreError> {
        let command = Command::Confirm {
            session,
            generation,
        };
        self.commit(command).await.map(|_| ())
    }

    /// Whether something is used for the first time.
    ///
    /// # Errors
    /// [`StoreError`]: nobody knows.
    pub async fn use_once(
        &self,
        digest: [u8; 32],
        expires_at: Timestamp,
    ) -> Result<Use, StoreError> {
        let command = Command::UseOnce { digest, expires_at };
        match self.commit(command).await?.outcome {
            Outcome::Used(used) => Ok(used),
            _ => Err(StoreError::Unavailable),
        }
    }

    pub(super) async fn commit(&self, command: Command) -> Result<Committed, StoreError> {
        let remember = self.remember;
        let change = Change {
            command,
            remember,
            said_at: None,
        };
        self.store.commit(change).await
    }

    fn draft(&self, new: NewSession, now: Timestamp, entropy: &dyn Entropy) -> Session {
        let mut salt = Salt([0; 32]);
        entropy.fill(&mut salt.0);
        let handle = new.handle.as_deref();
        Session {
            id: TimedId::new(now, entropy),
            state: State::Active,
            generation: 0,
            key: self.keys.active(),
            rotated_at: now,
            confirmed: false,
            replays: 0,
            context: new.context,
            foreign: ForeignReplays::default(),
            idle_until: now.plus(new.idle_lifetime.min(new.absolute_lifetime)),
            ends_at: now.plus(new.absolute_lifetime),
            idle_lifetime: new.idle_lifetime,
            subject: new.subject,
            client: new.client,
            transport: new.transport,
            handle: handle.map(|handle| self.keys.seal(&salt, handle, entropy)),
            salt,
            grant: new.grant,
            granted_at: now,
            device: new.device,
        }
    }

    pub(super) fn derive(&self, session: &Session) -> Option<String> {
        let key = self.keys.of_session(session.key, &session.salt)?;
        Some(key.derive(session.id, session.generation))
    }
}
