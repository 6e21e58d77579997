//! What no longer counts, asked on every request after the signature. That a token was not among it is remembered with the
//! token for as long as nothing else is revoked.
//!
//! A cutoff is compared with the moment at which a session began. The gate's own names tell it to the millisecond
//! (UUIDv7), so a login right after "log out everywhere" works and nothing older passes. Other issuers only tell `iat` in
//! seconds: there the whole second of the cutoff is refused.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::fingerprints::{Entry, NewEntry, RevokedSet, WhenFull};
use super::marks::Marks;
use super::revocation::{OWN_ISSUER, Revocation, RevokedBy};
use crate::session::id::TimedId;
use crate::session::state::Session;
use crate::time::{JUMP_MAX, Timestamp};
use crate::token::Verified;

/// Everything that is revoked at this moment, in bounded memory. Shared and readable without a lock.
///
/// # Security
/// It never forgets an entry before its `expires_at`. Past its capacity it refuses too much rather than too little.
#[derive(Debug)]
pub struct Revocations {
    set: RevokedSet,
    hasher: RandomState,
    newest: Mutex<VecDeque<Revocation>>,
    /// The latest cutoff, in milliseconds.
    cutoff: AtomicU64,
    /// A number for everything that is revoked so far: another one with each revocation, and in each set.
    pub(super) state: AtomicU64,
}

impl Default for Revocations {
    fn default() -> Self {
        Self::with_capacity(ENTRIES_MAX)
    }
}

impl Revocations {
    /// An empty set that tells at most `entries_max` entries apart.
    pub fn with_capacity(entries_max: usize) -> Self {
        let hasher = RandomState::new();
        Self {
            set: RevokedSet::new(entries_max),
            newest: Mutex::default(),
            cutoff: AtomicU64::default(),
            // Never 0, which stands on a token that nobody has looked for.
            state: AtomicU64::new((hasher.hash_one("state") >> 1) | 1),
            hasher,
        }
    }

    /// Asks whether a verified token was revoked. Never a false accept; a false refusal costs one refresh.
    pub fn find(&self, verified: &Verified, now: Timestamp) -> Option<RevokedBy> {
        if self.set.is_empty() {
            return None;
        }
        // Read before the look: what is revoked during it has another number, and the token is looked for again.
        let state = self.state.load(Ordering::Acquire);
        let notes = verified.notes();
        if notes.is_unrevoked_in(state) {
            return None;
        }
        let found = self.find_marks(&Marks::of_token(verified), now);
        if found.is_none() {
            notes.note_unrevoked_in(state);
        }
        found
    }

    /// Asks whether a session of the gate's own may still rotate. The store decides that too; this also knows what the
    /// store may have lost, where it knows for certain.
    pub fn find_session(
        &self,
        session: TimedId,
        subject: &str,
        client: &str,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Option<RevokedBy> {
        if self.set.is_empty() {
            return None;
        }
        let name = session.to_string();
        let marks = Marks::of_session(session, &name, subject, client, tenant);
        self.find_marks(&marks, now)
    }

    /// The same of a session as the store has it, whose row may not tell that it was revoked together with others.
    pub fn revoked_by(&self, session: &Session, now: Timestamp) -> Option<RevokedBy> {
        let (subject, client) = (&session.subject, &session.client);
        let tenant = session.grant.said_tenant();
        self.find_session(session.id, subject, client, tenant.as_deref(), now)
    }

    /// Asks whether the key `kid` of an issuer (its name in the configuration) was revoked.
    pub fn is_key_revoked(&self, issuer: &str, kid: &str, now: Timestamp) -> bool {
        let marks = Marks::of_key(issuer, kid, now);
        [None, Some(issuer)].into_iter().any(|issuer| {
            self.find_one(RevokedBy::Key, issuer, kid, &marks, now)
                .is_some()
        })
    }

    /// Revokes. Counts from the next request on. Naming the same again keeps the later cutoff and expiry.
    pub fn revoke(&self, revocation: Revocation, now: Timestamp) {
        self.revoke_all(vec![revocation], now);
    }

    /// Revokes one after the other. Many at once cost little more than reading them.
    pub fn revoke_all(&self, revocations: Vec<Revocation>, now: Timestamp) {
        if revocations.is_empty() {
            return;
        }
        let entries = revocations.iter().map(|one| self.entry(one, now));
        self.set.insert(&mut entries.collect::<Vec<_>>());
        // Behind the entries: whoever reads this number finds them.
        self.state.fetch_add(1, Ordering::Release);
        self.note(revocations);
    }

    fn entry(&self, revocation: &Revocation, now: Timestamp) -> NewEntry {
        let by = RevokedBy::of(&revocation.what);
        let issuer = revocation.issuer.as_deref();
        let cutoff = match revocation.what.has_cutoff() {
            true => {
                self.raise_cutoff(revocation.cutoff, now);
                revocation.cutoff
            }
            false => Timestamp::from_millis(u64::MAX),
        };
        let (own, others) = match by {
            // Nothing is issued for a dead session of our own; of another issuer's one it may well be.
            RevokedBy::Session => (now, revocation.expires_at),
            // It was issued before it was named.
            RevokedBy::Token => (now, now),
            _ => (cutoff.max(now), cutoff.max(now)),
        };
        let full = match by.blurs() {
            true => WhenFull::Blur([
                issuer.is_none_or(|one| one == OWN_ISSUER).then_some(own),
                (issuer != Some(OWN_ISSUER)).then_some(others),
            ]),
            false => WhenFull::Keep,
        };
        NewEntry {
            fingerprint: self.fingerprint(by, issuer, revocation.what.value()),
            entry: Entry {
                cutoff,
                expires_at: revocation.expires_at,
                class: by.scoped(issuer),
            },
            full,
        }
    }

    /// When something begins that begins `now`: no cutoff that was given before is its own, though the store's time lies
    /// ahead or both fall into one millisecond. One that was given while the clock had jumped moves nothing: when the time is
    /// put right, what begins would begin days ahead.
    pub fn beginning(&self, now: Timestamp) -> Timestamp {
        let cutoff = self.raise_cutoff(Timestamp::default(), now);
        now.max(cutoff.plus(Duration::from_millis(1)))
    }

    /// Takes a cutoff in and returns the latest. Drops what no sound clock has told: it would count when its time draws near.
    fn raise_cutoff(&self, cutoff: Timestamp, now: Timestamp) -> Timestamp {
        let latest = now.plus(JUMP_MAX).as_millis();
        let sound = |millis: u64| if millis > latest { 0 } else { millis };
        let mut known = self.cutoff.load(Ordering::Relaxed);
        loop {
            let next = sound(known).max(sound(cutoff.as_millis()));
            let set = self.cutoff.compare_exchange_weak(
                known,
                next,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match set {
                Ok(_) => return Timestamp::from_millis(next),
                Err(other) => known = other,
            }
        }
    }

    /// Forgets what has expired. To be called every few seconds; forgetting late costs memory alone.
    pub fn expire(&self, now: Timestamp) {
        self.set.expire(now);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.retain(|revocation| now < revocation.expires_at);
    }

    /// How many entries are told apart.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// The newest revocations that count at `now`, newest first: at most the last [`Self::LISTED_MAX`].
    pub fn newest(&self, now: Timestamp) -> Vec<Revocation> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let live = newest.iter().rev().filter(|one| now < one.expires_at);
        live.cloned().collect()
    }

    /// How many revocations can be listed.
    pub const LISTED_MAX: usize = 1000;

    fn note(&self, revocations: Vec<Revocation>) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        for revocation in revocations {
            // The store tells of what was told before it was written, and of the session that it ended in between.
            let mut known = newest.iter().rev().take(ECHO_WITHIN);
            if known.any(|known| *known == revocation) {
                continue;
            }
            if newest.len() == Self::LISTED_MAX {
                newest.pop_front();
            }
            newest.push_back(revocation);
        }
    }

    pub(super) fn find_marks(&self, marks: &Marks<'_>, now: Timestamp) -> Option<RevokedBy> {
        let questions = [
            (RevokedBy::Key, marks.key),
            (RevokedBy::Session, marks.session),
            (RevokedBy::Token, marks.token),
            (RevokedBy::Subject, marks.subject),
            (RevokedBy::Client, marks.client),
            (RevokedBy::Tenant, marks.tenant),
            (RevokedBy::Entitlements, marks.subject),
            (RevokedBy::All, Some("")),
        ];
        for (by, value) in questions {
            let Some(value) = value else { continue };
            for issuer in [None, Some(marks.issuer)] {
                if let Some(by) = self.find_one(by, issuer, value, marks, now) {
                    return Some(by);
                }
            }
        }
        None
    }

    /// Most kinds name nothing at most times: then this is all that is asked.
    #[inline]
    fn find_one(
        &self,
        by: RevokedBy,
        issuer: Option<&str>,
        value: &str,
        marks: &Marks<'_>,
        now: Timestamp,
    ) -> Option<RevokedBy> {
        let known = self.set.has_class(by.scoped(issuer));
        let blurred = by.blurs() && self.set.is_blurred();
        if !known && !blurred {
            return None;
        }
        let fingerprint = self.fingerprint(by, issuer, value);
        let exactly = known.then(|| self.find_exactly(by, fingerprint, marks, now));
        let side = usize::from(marks.issuer != OWN_ISSUER);
        exactly.flatten().or_else(|| {
            (blurred && self.set.blurs(side, fingerprint, marks.issued_at))
                .then_some(RevokedBy::Overflow)
        })
    }

    #[inline(never)]
    fn find_exactly(
        &self,
        by: RevokedBy,
        fingerprint: u64,
        marks: &Marks<'_>,
        now: Timestamp,
    ) -> Option<RevokedBy> {
        let since = match by {
            RevokedBy::Entitlements => marks.dated_at,
            _ => marks.begun_at,
        };
        let entry = self.set.find(fingerprint, now)?;
        (since <= entry.cutoff).then_some(by)
    }

    fn fingerprint(&self, by: RevokedBy, issuer: Option<&str>, value: &str) -> u64 {
        self.hasher.hash_one((by as u8, issuer, value))
    }
}

/// Among how many of the newest a revocation is looked for before it is listed.
const ECHO_WITHIN: usize = 64;

/// Some 100 MB when full.
const ENTRIES_MAX: usize = 1_000_000;
