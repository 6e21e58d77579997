//! Revocations that the file did not take when they were asked for. Whoever asked was told so; what is revoked shall not
//! live on for it, so they are written as soon as the file takes them.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::session::Change;
use crate::time::Timestamp;

/// Changes that are still to be made, the oldest first.
#[derive(Debug)]
pub(super) struct Owed {
    changes: Vec<Change>,
    /// Those that found no room among the calls.
    late: Receiver<Change>,
    tried: Option<Instant>,
}

impl Owed {
    pub(super) fn new(late: Receiver<Change>) -> Self {
        Self {
            changes: Vec::new(),
            late,
            tried: None,
        }
    }

    /// What of a group shall be kept if the group fails.
    pub(super) fn among(changes: &[Change]) -> Vec<Change> {
        let lasting = changes.iter().filter(|change| change.command.is_owed());
        lasting.cloned().collect()
    }

    /// Keeps what could not be made `now`, in the store's time; `None` while nobody knows it.
    pub(super) fn keep(&mut self, mut changes: Vec<Change>, now: Option<Timestamp>) {
        for change in &mut changes {
            change.said_at = change.said_at.or(now);
        }
        let room = OWED_MAX - self.changes.len();
        if changes.len() > room {
            let lost = changes.len() - room;
            tracing::error!(lost, "too many revocations wait for the session store");
        }
        self.changes.extend(changes.into_iter().take(room));
        self.tried = Some(Instant::now());
    }

    /// What to try now, if anything.
    pub(super) fn due(&mut self) -> Option<Vec<Change>> {
        if self.tried.is_some_and(|tried| tried.elapsed() < TRY_EVERY) {
            return None;
        }
        let room = OWED_MAX - self.changes.len();
        self.changes.extend(self.late.try_iter().take(room));
        (!self.changes.is_empty()).then(|| std::mem::take(&mut self.changes))
    }
}

/// Revocations that wait for the file.
pub(super) const OWED_MAX: usize = 1000;
/// How soon they are tried again.
const TRY_EVERY: Duration = Duration::from_millis(500);
