//! Which key signs at a moment, which ones are published then, and which have left: `next → active → retired → gone`.
//!
//! A key that waits is published and does not sign yet, so whoever keeps a copy of the JWKS knows it before its first token
//! comes. A key that was followed by another verifies until the last token that it signed has expired. A distrusted key is
//! as if it were not there. Knows no file and no clock.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::time::Timestamp;
use crate::token::SigningKey;

/// The signing keys of one configuration: the first set signs, all verify.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    sets: Vec<Vec<ScheduledKey>>,
    file: Option<PathBuf>,
}

/// One key and when its time comes.
#[derive(Debug, Clone)]
pub struct ScheduledKey {
    /// The key.
    pub key: Arc<SigningKey>,
    /// From then on it signs; the epoch for a key that always did.
    pub signs_from: Timestamp,
}

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Published, and waiting for its time.
    Next,
    /// It signs.
    Active,
    /// It verifies what it signed.
    Retired,
    /// Nothing that it signed is left.
    Gone,
}

impl Stage {
    /// The word that the operator sees.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Gone => "gone",
        }
    }
}

impl SigningKeys {
    /// Takes what the entries of `signing_keys` hold, each with the earliest key first. `file`: where the first of them lies.
    pub fn new(sets: Vec<Vec<ScheduledKey>>, file: Option<PathBuf>) -> Self {
        Self { sets, file }
    }

    /// Where the set that signs lies, if it is in a file.
    pub fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }

    /// Every key, whatever its stage.
    pub fn all(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        self.sets.iter().flatten().map(|scheduled| &scheduled.key)
    }

    /// These keys after `previous` served until `now`. A scheduled key that `previous` did not publish waits until no copy of
    /// the JWKS without it is left, however late the file was read.
    pub fn succeed(&mut self, previous: &Self, now: Timestamp) {
        let known_from = now.plus(JWKS_LIFETIME);
        for scheduled in self.sets.iter_mut().flatten() {
            let kid = scheduled.key.kid();
            let mut before = previous.sets.iter().flatten();
            let before = before.find(|known| known.key.kid() == kid);
            let earliest = before.map_or(known_from, |known| known.signs_from);
            if !scheduled.is_unscheduled() {
                scheduled.signs_from = scheduled.signs_from.max(earliest);
            }
        }
    }

    /// The key that signs at `now`: the newest of the first set whose time has come; if there is none, one that waits. A set
    /// without a trusted key leaves it to the next.
    pub fn signer(
        &self,
        now: Timestamp,
        is_trusted: impl Fn(&str) -> bool,
    ) -> Option<&Arc<SigningKey>> {
        let signers = self.sets.iter();
        let mut signers = signers.filter_map(|set| active(set, now, &is_trusted));
        signers.next().map(|scheduled| &scheduled.key)
    }

    /// What the JWKS holds at `now`, when the tokens that they sign live for `lifetime`.
    pub fn published(
        &self,
        now: Timestamp,
        lifetime: Duration,
        is_trusted: impl Fn(&str) -> bool,
    ) -> Vec<&Arc<SigningKey>> {
        let staged = self.staged(now, lifetime, is_trusted).into_iter();
        let kept = staged.filter(|(stage, _)| *stage != Stage::Gone);
        kept.map(|(_, key)| key).collect()
    }

    /// The `kid`s of keys that verify no longer.
    pub fn gone(
        &self,
        now: Timestamp,
        lifetime: Duration,
        is_trusted: impl Fn(&str) -> bool,
    ) -> Vec<&str> {
        let staged = self.staged(now, lifetime, is_trusted).into_iter();
        let gone = staged.filter(|(stage, _)| *stage == Stage::Gone);
        gone.map(|(_, key)| key.kid()).collect()
    }

    /// Every trusted key and its stage.
    fn staged(
        &self,
        now: Timestamp,
        lifetime: Duration,
        is_trusted: impl Fn(&str) -> bool,
    ) -> Vec<(Stage, &Arc<SigningKey>)> {
        let mut staged = Vec::new();
        for set in &self.sets {
            let trusted = trusted(set, &is_trusted);
            let starts: Vec<_> = trusted.iter().map(|key| key.signs_from).collect();
            let stages = stages(&starts, now, lifetime).into_iter();
            staged.extend(stages.zip(trusted.into_iter().map(|one| &one.key)));
        }
        staged
    }
}

impl ScheduledKey {
    /// Whether the operator set no time: it signs as soon as it stands first (and verifies for as long as it stands there).
    fn is_unscheduled(&self) -> bool {
        self.signs_from == Timestamp::default()
    }
}

/// The stages at `now` of keys that follow each other at `starts`, the earliest first.
pub(super) fn stages(starts: &[Timestamp], now: Timestamp, lifetime: Duration) -> Vec<Stage> {
    let newest_due = starts.partition_point(|start| *start <= now).max(1) - 1;
    let stage = |at: usize| {
        let ended = starts.get(at + 1).map(|next| next.plus(kept_for(lifetime)));
        match at.cmp(&newest_due) {
            std::cmp::Ordering::Greater => Stage::Next,
            std::cmp::Ordering::Equal => Stage::Active,
            std::cmp::Ordering::Less if ended.is_some_and(|ended| ended <= now) => Stage::Gone,
            std::cmp::Ordering::Less => Stage::Retired,
        }
    };
    (0..starts.len()).map(stage).collect()
}

fn active<'k>(
    set: &'k [ScheduledKey],
    now: Timestamp,
    is_trusted: &impl Fn(&str) -> bool,
) -> Option<&'k ScheduledKey> {
    let trusted = trusted(set, is_trusted);
    let due = trusted.iter().rev().find(|key| key.signs_from <= now);
    due.or(trusted.first()).copied()
}

fn trusted<'k>(
    set: &'k [ScheduledKey],
    is_trusted: &impl Fn(&str) -> bool,
) -> Vec<&'k ScheduledKey> {
    let trusted = set.iter().filter(|one| is_trusted(one.key.kid()));
    trusted.collect()
}

/// How long a key verifies after the next one took over, when its tokens live for `lifetime`.
fn kept_for(lifetime: Duration) -> Duration {
    lifetime + BEYOND_EXPIRY
}

/// For how long others may keep a copy of the JWKS: its `max-age`.
pub const JWKS_LIFETIME: Duration = Duration::from_secs(300);
/// Verifiers allow for some leeway, and their clocks differ.
const BEYOND_EXPIRY: Duration = Duration::from_secs(60);
