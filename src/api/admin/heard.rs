//! The names (`jti`) of event tokens that were heard, each once, in bounded memory. Knows neither what they said nor what
//! time it is.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::time::Timestamp;

/// A digest of an issuer and a `jti`: a name of any length takes the same room.
type Name = [u8; 32];

/// What was heard, and until when each of it is remembered.
///
/// When it is full, what would be forgotten next is forgotten now: to hear a logout twice logs out once more, and a new
/// one must not be lost over it.
#[derive(Debug)]
pub(super) struct Heard {
    names: Mutex<Names>,
    names_max: usize,
}

#[derive(Debug, Default)]
struct Names {
    until: HashMap<Name, Timestamp>,
    due: BTreeSet<(Timestamp, Name)>,
}

impl Default for Heard {
    fn default() -> Self {
        Self::with_capacity(NAMES_MAX)
    }
}

impl Heard {
    pub(super) fn with_capacity(names_max: usize) -> Self {
        Self {
            names: Mutex::default(),
            names_max,
        }
    }

    /// Remembers an issuer's `jti` until a moment; `false` when it was heard before.
    pub(super) fn hear(&self, issuer: &str, id: &str, now: Timestamp, until: Timestamp) -> bool {
        let mut names = self.lock();
        names.expire(now);
        let name = name(issuer, id);
        if names.until.contains_key(&name) {
            return false;
        }
        if names.until.len() >= self.names_max {
            names.drop_next();
        }
        names.put(name, until);
        true
    }

    /// Remembers for longer what was heard.
    pub(super) fn keep(&self, issuer: &str, id: &str, until: Timestamp) {
        let mut names = self.lock();
        let name = name(issuer, id);
        let known = names.until.get(&name).copied();
        if known.is_some_and(|known| known < until) {
            names.remove(&name);
            names.put(name, until);
        }
    }

    /// Forgets what was heard in vain: it may be told again.
    pub(super) fn forget(&self, issuer: &str, id: &str) {
        self.lock().remove(&name(issuer, id));
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Names {
    fn put(&mut self, name: Name, until: Timestamp) {
        self.until.insert(name, until);
        self.due.insert((until, name));
    }

    fn remove(&mut self, name: &Name) {
        if let Some(until) = self.until.remove(name) {
            self.due.remove(&(until, *name));
        }
    }

    fn expire(&mut self, now: Timestamp) {
        while self.due.first().is_some_and(|(until, _)| *until <= now) {
            self.drop_next();
        }
    }

    fn drop_next(&mut self) {
        if let Some((_, name)) = self.due.pop_first() {
            self.until.remove(&name);
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

/// Some 20 MB when full.
const NAMES_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn a_name_is_heard_once_until_its_time_is_over_and_of_each_issuer() {
        let heard = Heard::default();
        assert!(heard.hear("main", "j1", at(0), at(10)));
        assert!(!heard.hear("main", "j1", at(9), at(10)));
        assert!(heard.hear("mai", "nj1", at(9), at(10)));
        assert!(heard.hear("other", "j1", at(9), at(10)));
        assert!(heard.hear("main", "j1", at(10), at(20)));
    }

    #[test]
    fn what_is_kept_lasts_longer_and_what_is_forgotten_may_come_again() {
        let heard = Heard::default();
        assert!(heard.hear("main", "j1", at(0), at(10)));
        heard.keep("main", "j1", at(30));
        heard.keep("main", "j1", at(5));
        assert!(!heard.hear("main", "j1", at(29), at(40)));
        heard.forget("main", "j1");
        assert!(heard.hear("main", "j1", at(29), at(40)));
    }

    #[test]
    fn it_is_bounded_and_forgets_first_what_would_go_next() {
        let heard = Heard::with_capacity(2);
        assert!(heard.hear("main", "late", at(0), at(100)));
        assert!(heard.hear("main", "soon", at(0), at(10)));
        assert!(heard.hear("main", "new", at(0), at(50)));
        assert!(!heard.hear("main", "late", at(0), at(100)));
        assert!(heard.hear("main", "soon", at(0), at(10)));
    }
}
