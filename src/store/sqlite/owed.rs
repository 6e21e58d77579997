//! Revocations that the file did not take when they were asked for. Whoever asked was told so; what is revoked shall not
//! live on for it, so they are written as soon as the file takes them.

use std::time::{Duration, Instant};

use crate::session::Change;

/// Changes that are still to be made, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Owed {
    changes: Vec<Change>,
    tried: Option<Instant>,
}

impl Owed {
    /// What of a group shall be kept if the group fails.
    pub(super) fn among(changes: &[Change]) -> Vec<Change> {
        let lasting = changes.iter().filter(|change| change.command.is_owed());
        lasting.cloned().collect()
    }

    /// Keeps what could not be made.
    pub(super) fn keep(&mut self, changes: Vec<Change>) {
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
        let is_due = self.tried.is_some_and(|tried| tried.elapsed() >= TRY_EVERY);
        (is_due && !self.changes.is_empty()).then(|| std::mem::take(&mut self.changes))
    }
}

/// Revocations that wait for the file.
const OWED_MAX: usize = 1000;
/// How soon they are tried again.
const TRY_EVERY: Duration = Duration::from_millis(500);
