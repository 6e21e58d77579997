//! The names (`jti`) of event tokens that were heard, each once, in bounded memory. Knows neither what they said nor what
//! time it is.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::time::Timestamp;

/// A digest of an issuer and a `jti`: a name of any length takes the same room.
type Name = [u8; 32];

/// What was heard: what can be told again until a moment, and what can be for ever. Neither takes the other's room.
///
/// When one of them is full, what would be forgotten next is forgotten now, which is the oldest of what lasts: to hear a
/// logout twice logs out once more, and a new one must not be lost over it.
#[derive(Debug)]
pub(super) struct Heard {
    both: Mutex<Both>,
    names_max: usize,
}

#[derive(Debug, Default)]
struct Both {
    /// By when they are over.
    ending: Names,
    /// By when they were heard.
    lasting: Names,
}

#[derive(Debug, Default)]
struct Names {
    at: HashMap<Name, Timestamp>,
    order: BTreeSet<(Timestamp, Name)>,
}

impl Default for Heard {
    fn default() -> Self {
        Self::with_capacity(NAMES_MAX)
    }
}

impl Heard {
    pub(super) fn with_capacity(names_max: usize) -> Self {
        Self {
            both: Mutex::default(),
            names_max,
        }
    }

    /// Remembers an issuer's `jti` until a moment, or for ever; `false` when it was heard before.
    pub(super) fn hear(
        &self,
        issuer: &str,
        id: &str,
        now: Timestamp,
        until: Option<Timestamp>,
    ) -> bool {
        let mut both = self.lock();
        both.ending.expire(now);
        let name = name(issuer, id);
        if both.ending.at.contains_key(&name) || both.lasting.at.contains_key(&name) {
            return false;
        }
        let names = match until {
            Some(_) => &mut both.ending,
            None => &mut both.lasting,
        };
        if names.at.len() >= self.names_max {
            names.drop_next();
        }
        names.put(name, until.unwrap_or(now));
        true
    }

    /// Remembers until a later moment what was heard.
    pub(super) fn keep(&self, issuer: &str, id: &str, until: Timestamp) {
        let names = &mut self.lock().ending;
        let name = name(issuer, id);
        let known = names.at.get(&name).copied();
        if known.is_some_and(|known| known < until) {
            names.remove(&name);
            names.put(name, until);
        }
    }

    /// Forgets what was heard in vain: it may be told again.
    pub(super) fn forget(&self, issuer: &str, id: &str) {
        let mut both = self.lock();
        let name = name(issuer, id);
        both.ending.remove(&name);
        both.lasting.remove(&name);
    }

    fn lock(&self) -> MutexGuard<'_, Both> {
        self.both.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Names {
    fn put(&mut self, name: Name, at: Timestamp) {
        self.at.insert(name, at);
        self.order.insert((at, name));
    }

    fn remove(&mut self, name: &Name) {
        if let Some(at) = self.at.remove(name) {
            self.order.remove(&(at, *name));
        }
    }

    fn expire(&mut self, now: Timestamp) {
        while self.order.first().is_some_and(|(until, _)| *until <= now) {
            self.drop_next();
        }
    }

    fn drop_next(&mut self) {
        if let Some((_, name)) = self.order.pop_first() {
            self.at.remove(&name);
        }
    }
}

fn name(issuer: &str, id: &str) -> Name {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(issuer.len() as u64).to_le_bytes());
    hasher.update(issuer.as_bytes());
    hasher.update(id.as_bytes());
    *hasher.finalize().as_bytes()
}

/// Of each kind; some 20 MB when full.
const NAMES_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn until(secs: u64) -> Option<Timestamp> {
        Some(at(secs))
    }

    #[test]
    fn a_name_is_heard_once_until_its_time_is_over_and_of_each_issuer() {
        let heard = Heard::default();
        assert!(heard.hear("main", "j1", at(0), until(10)));
        assert!(!heard.hear("main", "j1", at(9), until(10)));
        assert!(heard.hear("mai", "nj1", at(9), until(10)));
        assert!(heard.hear("other", "j1", at(9), until(10)));
        assert!(heard.hear("main", "j1", at(10), until(20)));
    }

    #[test]
    fn what_is_kept_lasts_longer_and_what_is_forgotten_may_come_again() {
        let heard = Heard::default();
        assert!(heard.hear("main", "j1", at(0), until(10)));
        heard.keep("main", "j1", at(30));
        heard.keep("main", "j1", at(5));
        assert!(!heard.hear("main", "j1", at(29), until(40)));
        heard.forget("main", "j1");
        assert!(heard.hear("main", "j1", at(29), until(40)));
    }

    #[test]
    fn it_is_bounded_and_forgets_first_what_would_go_next() {
        let heard = Heard::with_capacity(2);
        assert!(heard.hear("main", "late", at(0), until(100)));
        assert!(heard.hear("main", "soon", at(0), until(10)));
        assert!(heard.hear("main", "new", at(0), until(50)));
        assert!(!heard.hear("main", "late", at(0), until(100)));
        assert!(heard.hear("main", "soon", at(0), until(10)));
    }

    #[test]
    fn what_is_over_some_day_and_what_never_is_take_no_room_of_each_other() {
        let heard = Heard::with_capacity(2);
        assert!(heard.hear("main", "soon", at(0), until(100)));
        for (second, id) in ["first", "second", "third"].into_iter().enumerate() {
            assert!(heard.hear("main", id, at(second as u64), None));
        }
        assert!(!heard.hear("main", "soon", at(3), until(100)));
        assert!(!heard.hear("main", "soon", at(3), None));
        assert!(!heard.hear("main", "third", at(1_000_000), None));
        assert!(!heard.hear("main", "second", at(1_000_000), until(2_000_000)));
        assert!(
            heard.hear("main", "first", at(1_000_000), None),
            "the oldest went"
        );
    }
}
