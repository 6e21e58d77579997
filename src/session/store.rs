//! The port to whatever keeps sessions: what it is asked, and what it answers. What each change means stands in `commit`.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::id::TimedId;
use super::lifecycle::{Attempt, Rotation, Terms, Vouched};
use super::refresh_token::{Genuine, KeyId};
use super::revocations::Revocation;
use super::state::{Context, Session, Transport, Why};
use crate::time::Timestamp;

/// Keeps sessions.
///
/// # Security
/// A store that acknowledges what is not durable revives spent tokens and dead sessions after a crash. One that decides two
/// changes of a session at once forks its chain. One whose time runs backwards reopens windows that were closed. A store
/// that cannot keep a promise answers [`StoreError`]; the caller then answers 503 and nothing was consumed.
pub trait SessionStore: Send + Sync {
    /// The session of that name, as last committed.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot tell.
    fn load(
        &self,
        session: TimedId,
    ) -> impl Future<Output = Result<Option<Session>, StoreError>> + Send;

    /// The live sessions of a subject, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot tell.
    fn live_of(
        &self,
        subject: &str,
    ) -> impl Future<Output = Result<Vec<Session>, StoreError>> + Send;

    /// Decides and makes one change, alone among all changes, durably, at the store's own time. Whatever it revokes counts
    /// in this process before the answer is there.
    ///
    /// # Errors
    /// [`StoreError`]: nothing was acknowledged. After a lost answer the change may stand all the same, and what
    /// [`Command::is_owed`] is made later; asking again is safe.
    fn commit(&self, change: Change) -> impl Future<Output = Result<Committed, StoreError>> + Send;
}

/// Why a store does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreError {
    /// It cannot be read or written.
    Unavailable,
    /// It took too long.
    Slow,
    /// Too many wait already.
    Overloaded,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "the session store is unavailable",
            Self::Slow => "the session store is too slow",
            Self::Overloaded => "too many calls wait for the session store",
        })
    }
}

impl std::error::Error for StoreError {}

/// One change.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is to happen.
    pub command: Command,
    /// How long a revocation of one session is remembered: the longest life of an access token, and its leeway.
    pub remember: Duration,
    /// When it was said, in the store's time, where that was before it could be made: what begins in between is not meant.
    pub said_at: Option<Timestamp>,
}

/// What may happen to sessions.
#[derive(Debug, Clone)]
pub enum Command {
    /// A session begins at the store's time. At most `live_max` of its subject live on, the newest.
    Open {
        /// The session as it shall be.
        session: Box<Session>,
        /// How many may live.
        live_max: u32,
    },
    /// A refresh token was presented.
    Rotate(Box<Presentation>),
    /// One session ends.
    Revoke {
        /// Which.
        session: TimedId,
        /// Why.
        why: Why,
    },
    /// All sessions of a subject end.
    RevokeSubject {
        /// Whose.
        subject: Box<str>,
        /// Why.
        why: Why,
    },
    /// An access token of a generation was seen.
    Confirm {
        /// Of which session.
        session: TimedId,
        /// Which generation.
        generation: u64,
    },
    /// Something else counts no longer: a token, a key, a client, everything, another issuer's session.
    Deny(Revocation),
    /// Something may be used once: the digest of a client assertion.
    UseOnce {
        /// Its digest.
        digest: [u8; 32],
        /// From then on it is refused for its age.
        expires_at: Timestamp,
    },
}

impl Command {
    /// Whether a store that cannot make the change now shall make it when it can, though the caller is told that it failed:
    /// an operator's revocation, and a token that its client gave back. Who logs in, refreshes or logs out asks again.
    pub fn is_owed(&self) -> bool {
        match self {
            Self::Revoke { why, .. } => *why == Why::Returned,
            Self::Deny(_) => true,
            Self::Open { .. }
            | Self::Rotate(_)
            | Self::RevokeSubject { .. }
            | Self::Confirm { .. }
            | Self::UseOnce { .. } => false,
        }
    }

    /// Whether the change is of use to nobody but the caller who hears of it: a token that is spent or a session that begins
    /// behind his back is lost to him. What ends something is made though he has gone.
    pub fn is_for_the_answer(&self) -> bool {
        match self {
            Self::Open { .. } | Self::Rotate(_) | Self::UseOnce { .. } => true,
            Self::Revoke { .. }
            | Self::RevokeSubject { .. }
            | Self::Confirm { .. }
            | Self::Deny(_) => false,
        }
    }
}

/// A refresh, ready to be decided.
#[derive(Debug, Clone)]
pub struct Presentation {
    /// The proof that the token was derived here.
    pub token: Genuine,
    /// The client that authenticated.
    pub client: Box<str>,
    /// How the token travelled.
    pub transport: Transport,
    /// Where it came from.
    pub context: Context,
    /// The address it came from, for the list of devices.
    pub address: Box<str>,
    /// The operator's terms.
    pub terms: Terms,
    /// The master key that derives the successor.
    pub key: KeyId,
    /// What the identity service said just now.
    pub vouched: Vouched,
    /// The identity service's own handle, sealed anew; `None`: it stays as it is.
    pub handle: Option<Box<[u8]>>,
}

impl Presentation {
    /// The attempt to hand to [`Session::rotate`].
    pub fn attempt(&self) -> Attempt<'_> {
        Attempt {
            token: self.token,
            client: &self.client,
            transport: self.transport,
            context: self.context,
        }
    }
}

/// What became of a change, and when.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The store's time of the change.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a change.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The session as it began.
    Opened(Box<Session>),
    /// What the refresh led to, and the session as it is now; `None` when nobody knows the session.
    Rotated(Option<(Rotation, Box<Session>)>),
    /// So many sessions ended that were alive before.
    Revoked(Vec<TimedId>),
    /// Nothing to tell.
    Done,
    /// Whether it was used for the first time.
    Used(Use),
}

/// Whether something was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Never.
    First,
    /// It was.
    Again,
}
