//! The life of one session as a value: opened at login, rotated at each refresh, dead by logout, reuse or time.
//!
//! ```text
//!            open                  rotate(n)                    rotate(n+1)
//!  (none) ─────────▶ ACTIVE n=0 ────────────▶ ACTIVE n+1 ───────────────────▶ …
//!                     │ an access token of n was seen → confirmed
//!                     ├ rotate(n-1) within the grace, or unconfirmed within the lost-reply window → the same successor
//!                     ├ rotate(n-1) otherwise, rotate(<n-1) → REVOKED (reuse)
//!                     ├ rotate(>n): the store lost a write; adopted
//!                     ├ logout, operator, identity service → REVOKED
//!                     └ now ≥ idle or absolute end → EXPIRED, computed
//! ```
//!
//! REVOKED and EXPIRED are final and checked before anything else. The window of a predecessor is anchored at the rotation
//! that spent it; replays never move it. Knows no store and no HTTP; serialising the calls is the store's part.

use std::time::Duration;

use super::grant::Grant;
use super::id::TimedId;
use super::refresh_token::{Genuine, KeyId, Salt};
use crate::time::Timestamp;

/// How refresh tokens travel. A token of one transport is void at the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// In an HttpOnly cookie.
    Cookie,
    /// In the body.
    Body,
}

/// One session.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// `sid`; tells when the session began.
    pub id: TimedId,
    /// Whether it may still rotate.
    pub state: State,
    /// How often it rotated: the number of its only live refresh token.
    pub generation: u64,
    /// The master key that the live refresh token was derived with.
    pub key: KeyId,
    /// When the present generation began. Never moved by replays.
    pub rotated_at: Timestamp,
    /// Whether an access token of the present generation was seen: the reply arrived.
    pub confirmed: bool,
    /// Replays answered behind the grace, in the present generation.
    pub replays: u32,
    /// Where the present generation was asked for from.
    pub context: Context,
    /// Predecessors that came from elsewhere.
    pub foreign: ForeignReplays,
    /// From then on it is over, unless it rotates before.
    pub idle_until: Timestamp,
    /// From then on it is over. Fixed at login.
    pub ends_at: Timestamp,
    /// How far a rotation moves `idle_until`.
    pub idle_lifetime: Duration,
    /// Whose it is, as the identity service named it.
    pub subject: Box<str>,
    /// `client_id` of the only client that may use it.
    pub client: Box<str>,
    /// How its tokens travel.
    pub transport: Transport,
    /// Half of what its tokens are derived from.
    pub salt: Salt,
    /// What its access tokens say.
    pub grant: Grant,
    /// When the identity service last vouched for `grant`.
    pub granted_at: Timestamp,
    /// The identity service's own handle, sealed.
    pub handle: Option<Box<[u8]>>,
    /// For the list of devices.
    pub device: Device,
}

/// What the list of devices shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// What the user calls it.
    pub label: Box<str>,
    /// `User-Agent` of the login.
    pub user_agent: Box<str>,
    /// Address of the last rotation.
    pub address: Box<str>,
}

/// Whether a session may still rotate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It may, while its time is not over.
    Active,
    /// It may not, ever again.
    Revoked {
        /// Since when.
        at: Timestamp,
        /// Why.
        why: Why,
    },
}

/// Why a session was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// A refresh token was used after its successor was.
    Reuse,
    /// Too many predecessors came from elsewhere.
    ForeignReplay,
    /// The user logged out.
    Logout,
    /// The user logged out everywhere.
    LogoutAll,
    /// The client gave its token back (RFC 7009).
    Returned,
    /// The identity service no longer knows the subject.
    Denied,
    /// The operator said so.
    Operator,
    /// It was the oldest of too many.
    Displaced,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Reuse,
        Self::ForeignReplay,
        Self::Logout,
        Self::LogoutAll,
        Self::Returned,
        Self::Denied,
        Self::Operator,
        Self::Displaced,
    ];

    /// The word in the store and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reuse => "reuse",
            Self::ForeignReplay => "foreign_replay",
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::Returned => "returned",
            Self::Denied => "denied",
            Self::Operator => "operator",
            Self::Displaced => "displaced",
        }
    }
}

/// A digest of where a caller calls from: its network and its user agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context(pub [u8; 16]);

/// How many generations saw their predecessor come from elsewhere, since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForeignReplays {
    /// Generations, counted once each.
    pub count: u32,
    /// The last generation that was counted.
    pub generation: u64,
    /// Start of the period that `count` is of.
    pub since: Timestamp,
}

/// The operator's terms of rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long the predecessor is answered after a rotation, however often.
    pub grace: Duration,
    /// How long it is answered while nobody has shown the successor.
    pub lost_reply_window: Duration,
    /// How many replays behind the grace one generation answers.
    pub replays_max: u32,
}

/// A refresh as it came: a genuine token and who brought it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The proof that the token is of this session.
    pub token: Genuine,
    /// The client that authenticated.
    pub client: &'a str,
    /// How the token travelled.
    pub transport: Transport,
    /// Where it came from.
    pub context: Context,
}

/// What becomes of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// A new generation began.
    Rotated,
    /// A new generation began after one that the store had forgotten.
    Recovered,
    /// The predecessor again: the same successor is the answer.
    Replayed,
    /// The predecessor too often behind the grace: not now.
    Exhausted,
    /// The session was killed by this call.
    Killed(Why),
    /// The session was dead before.
    Revoked,
    /// The session's time is over.
    Expired,
    /// Another client's session. Nothing changed.
    OtherClient,
    /// A token of the other transport. Nothing changed.
    OtherTransport,
}

impl Session {
    /// What [`Self::rotate`] would answer. Nothing changes.
    pub fn decide(&self, attempt: &Attempt<'_>, now: Timestamp, terms: &Terms) -> Rotation {
        let presented = attempt.token.generation();
        if matches!(self.state, State::Revoked { .. }) || attempt.token.session() != self.id {
            Rotation::Revoked
        } else if self.is_over(now) {
            Rotation::Expired
        } else if *attempt.client != *self.client {
            Rotation::OtherClient
        } else if attempt.transport != self.transport {
            Rotation::OtherTransport
        } else if presented > self.generation {
            Rotation::Recovered
        } else if presented == self.generation {
            Rotation::Rotated
        } else if presented + 1 == self.generation {
            self.decide_predecessor(attempt.context, now, terms)
        } else {
            Rotation::Killed(Why::Reuse)
        }
    }

    /// Answers a refresh. `renewed` is what the identity service said just now; it counts if a new generation begins.
    pub fn rotate(
        &mut self,
        attempt: &Attempt<'_>,
        now: Timestamp,
        terms: &Terms,
        active: KeyId,
        renewed: Option<Grant>,
    ) -> Rotation {
        let rotation = self.decide(attempt, now, terms);
        match rotation {
            Rotation::Rotated | Rotation::Recovered => {
                self.begin_generation(attempt, now, active, renewed);
            }
            Rotation::Replayed => self.note_replay(attempt.context, now, terms),
            Rotation::Killed(why) => self.revoke(now, why),
            _ => {}
        }
        rotation
    }

    /// Ends the session for good; a dead one keeps its first reason.
    pub fn revoke(&mut self, now: Timestamp, why: Why) {
        if self.state == State::Active {
            self.state = State::Revoked { at: now, why };
        }
    }

    /// Notes that an access token of `generation` was seen: the reply that carried it arrived.
    pub fn confirm(&mut self, generation: u64) {
        if generation == self.generation {
            self.confirmed = true;
        }
    }

    /// Whether it may still rotate at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state == State::Active && !self.is_over(now)
    }

    /// When it ends if it never rotates again.
    pub fn expires_at(&self) -> Timestamp {
        self.idle_until.min(self.ends_at)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.expires_at()
    }

    fn decide_predecessor(&self, from: Context, now: Timestamp, terms: &Terms) -> Rotation {
        let age = now.since(self.rotated_at);
        let in_grace = age <= terms.grace;
        let lost = !self.confirmed && age <= terms.lost_reply_window;
        if !in_grace && !lost {
            Rotation::Killed(Why::Reuse)
        } else if !in_grace && self.replays >= terms.replays_max {
            Rotation::Exhausted
        } else if from != self.context && self.foreign.is_spent(self.generation, now) {
            Rotation::Killed(Why::ForeignReplay)
        } else {
            Rotation::Replayed
        }
    }

    fn begin_generation(
        &mut self,
        attempt: &Attempt<'_>,
        now: Timestamp,
        active: KeyId,
        renewed: Option<Grant>,
    ) {
        self.generation = attempt.token.generation().saturating_add(1);
        self.key = active;
        self.rotated_at = now;
        self.confirmed = false;
        self.replays = 0;
        self.context = attempt.context;
        self.idle_until = now.plus(self.idle_lifetime).min(self.ends_at);
        if let Some(grant) = renewed {
            self.grant = grant;
            self.granted_at = now;
        }
    }

    fn note_replay(&mut self, from: Context, now: Timestamp, terms: &Terms) {
        if now.since(self.rotated_at) > terms.grace {
            self.replays += 1;
        }
        if from != self.context {
            self.foreign.note(self.generation, now);
        }
    }
}

impl ForeignReplays {
    /// Whether one more generation would be too many.
    fn is_spent(&self, generation: u64, now: Timestamp) -> bool {
        let counted = self.count > 0 && self.generation == generation;
        !counted && self.count >= FOREIGN_REPLAYS_MAX && now.since(self.since) < FOREIGN_PERIOD
    }

    fn note(&mut self, generation: u64, now: Timestamp) {
        if self.count > 0 && self.generation == generation {
            return;
        }
        if self.count == 0 || now.since(self.since) >= FOREIGN_PERIOD {
            self.count = 0;
            self.since = now;
        }
        self.count += 1;
        self.generation = generation;
    }
}

/// In how many generations of one period the predecessor may come from elsewhere: somebody on the move, and no thief.
const FOREIGN_REPLAYS_MAX: u32 = 6;
const FOREIGN_PERIOD: Duration = Duration::from_secs(24 * 60 * 60);
