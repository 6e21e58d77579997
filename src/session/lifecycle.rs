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
use super::refresh_token::{Genuine, KeyId};
use super::state::{Context, ForeignReplays, Session, State, Transport, Why};
use crate::time::Timestamp;

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

/// What the identity service said when a token was presented.
#[derive(Debug, Clone, PartialEq)]
pub enum Vouched {
    /// Nothing: its last word holds, and grows older.
    Silent,
    /// The same as before.
    Same,
    /// This.
    For(Box<Grant>),
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
    /// Moves the beginning to `now`: the store's time is the one that counts, and it names the session by it.
    pub fn begin_at(&mut self, now: Timestamp) {
        let idle = self.idle_until.since(self.rotated_at);
        let absolute = self.ends_at.since(self.rotated_at);
        self.id = self.id.given_anew_at(now);
        self.rotated_at = now;
        self.granted_at = now;
        self.idle_until = now.plus(idle);
        self.ends_at = now.plus(absolute);
    }

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

    /// Answers a refresh. `vouched` counts if a new generation begins.
    pub fn rotate(
        &mut self,
        attempt: &Attempt<'_>,
        now: Timestamp,
        terms: &Terms,
        active: KeyId,
        vouched: Vouched,
    ) -> Rotation {
        let rotation = self.decide(attempt, now, terms);
        match rotation {
            Rotation::Rotated | Rotation::Recovered => {
                self.begin_generation(attempt, now, active, vouched);
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
        vouched: Vouched,
    ) {
        self.generation = attempt.token.generation().saturating_add(1);
        self.key = active;
        self.rotated_at = now;
        self.confirmed = false;
        self.replays = 0;
        self.context = attempt.context;
        self.idle_until = now.plus(self.idle_lifetime).min(self.ends_at);
        match vouched {
            Vouched::Silent => return,
            Vouched::Same => {}
            Vouched::For(grant) => self.grant = *grant,
        }
        self.granted_at = now;
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
