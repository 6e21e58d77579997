//! What others make of a token and want again with its next request, kept for as long as the token is remembered. Knows
//! neither who made it nor what it says.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use smallvec::SmallVec;

use crate::time::Timestamp;

/// A text that somebody made of a token for one reader.
#[derive(Debug)]
pub struct Note {
    /// Who made it, under which terms: another maker does not use it.
    pub maker: Arc<str>,
    /// For whom.
    pub reader: Arc<str>,
    /// What it says.
    pub text: Box<str>,
    /// When it was made. A clock that ran ahead and was put right makes it anew: nobody else is there yet.
    pub since: Timestamp,
    /// From then on it is made anew.
    pub until: Timestamp,
}

/// The notes on one token.
#[derive(Default)]
pub struct Notes {
    pseudonym: OnceLock<Box<str>>,
    /// One for each reader, at most [`Notes::KEPT_MAX`].
    kept: Mutex<SmallVec<[Arc<Note>; 1]>>,
    /// In which state of what is revoked the token was not among it.
    unrevoked_in: AtomicU64,
}

impl Notes {
    /// Readers that have a note on one token; beyond them the oldest is made again.
    pub const KEPT_MAX: usize = 16;

    /// Room for the name that a log gives the token's subject.
    pub fn pseudonym(&self) -> &OnceLock<Box<str>> {
        &self.pseudonym
    }

    /// Whether the token was not among what is revoked when that was in `state`, a number that never stands for two states.
    pub fn is_unrevoked_in(&self, state: u64) -> bool {
        self.unrevoked_in.load(Ordering::Relaxed) == state
    }

    /// Notes that the token was not among what is revoked, which was in `state` before it was looked for.
    pub fn note_unrevoked_in(&self, state: u64) {
        self.unrevoked_in.store(state, Ordering::Relaxed);
    }

    /// The note that `maker` made for `reader`, if it is good at `now`; else a new one by `make`.
    pub fn find_or_make(
        &self,
        maker: &Arc<str>,
        reader: &Arc<str>,
        now: Timestamp,
        make: impl FnOnce() -> Note,
    ) -> Arc<Note> {
        let is_good = |note: &&Arc<Note>| {
            let is_its_time = note.since <= now && now < note.until;
            is_its_time && note.reader == *reader && note.maker == *maker
        };
        if let Some(note) = self.kept().iter().find(is_good) {
            return note.clone();
        }
        // Made without the lock: two makers make two notes at worst, and the second stays.
        let note = Arc::new(make());
        let mut kept = self.kept();
        kept.retain(|old| old.reader != note.reader);
        if kept.len() == Self::KEPT_MAX {
            kept.remove(0);
        }
        kept.push(note.clone());
        note
    }

    /// Sound even if a thread panicked while it held it: every change is one call.
    fn kept(&self) -> MutexGuard<'_, SmallVec<[Arc<Note>; 1]>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes speak of the token's subject: they stay out of logs.
impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notes({})", self.kept().len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Note, Notes};
    use crate::time::Timestamp;

    fn text(notes: &Notes, maker: &str, reader: &str, now: u64, fresh: &str) -> String {
        let (maker, reader) = (Arc::from(maker), Arc::from(reader));
        let make = || Note {
            maker: Arc::clone(&maker),
            reader: Arc::clone(&reader),
            text: fresh.into(),
            since: Timestamp::from_secs(now),
            until: Timestamp::from_secs(now + 10),
        };
        let note = notes.find_or_make(&maker, &reader, Timestamp::from_secs(now), make);
        note.text.to_string()
    }

    #[test]
    fn a_note_is_kept_until_its_time_for_its_maker_and_reader_alone() {
        let notes = Notes::default();
        assert_eq!(text(&notes, "gate", "crm", 100, "first"), "first");
        assert_eq!(text(&notes, "gate", "crm", 109, "second"), "first");
        assert_eq!(text(&notes, "gate", "billing", 109, "other"), "other");
        assert_eq!(text(&notes, "gate", "crm", 110, "third"), "third");
        assert_eq!(text(&notes, "new gate", "crm", 111, "fourth"), "fourth");
        assert_eq!(text(&notes, "gate", "crm", 111, "fifth"), "fifth");
    }

    #[test]
    fn a_note_of_a_clock_that_ran_ahead_is_not_kept_once_it_is_right_again() {
        let notes = Notes::default();
        assert_eq!(text(&notes, "gate", "crm", 4000, "ahead"), "ahead");
        assert_eq!(text(&notes, "gate", "crm", 100, "right"), "right");
        assert_eq!(text(&notes, "gate", "crm", 101, "later"), "right");
    }

    #[test]
    fn only_so_many_readers_have_a_note() {
        let notes = Notes::default();
        for reader in 0..2 * Notes::KEPT_MAX {
            text(&notes, "gate", &reader.to_string(), 100, "text");
        }
        assert_eq!(format!("{notes:?}"), format!("Notes({})", Notes::KEPT_MAX));
    }
}
