//! The document that an issuer's keys were read from. Shared between its refresher and the world's writer, so that a
//! changed configuration can go on with it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::fetch::EntityTag;
use crate::time::Timestamp;

/// A provider's document as it was last confirmed.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) document: Arc<[u8]>,
    pub(super) etag: Option<EntityTag>,
    pub(super) confirmed_at: Timestamp,
    /// How long it was to be fresh, if its provider said so.
    pub(super) max_age: Option<Duration>,
}

/// The place for one, and how the last fetch ended. Empty before the first and once the document is too old.
#[derive(Debug, Clone, Default)]
pub(in crate::control) struct Holding(Arc<Mutex<Slot>>);

#[derive(Debug, Clone, Default)]
struct Slot {
    held: Option<Held>,
    last_error: Option<String>,
}

impl Holding {
    /// A place of its own, with what is here now.
    pub(in crate::control) fn copy(&self) -> Self {
        let slot = self.slot().clone();
        Self(Arc::new(Mutex::new(slot)))
    }

    /// When the provider confirmed the document last.
    pub(in crate::control) fn confirmed_at(&self) -> Option<Timestamp> {
        Some(self.slot().held.as_ref()?.confirmed_at)
    }

    /// Why the last fetch failed; `None` when it did not.
    pub(in crate::control) fn last_error(&self) -> Option<String> {
        self.slot().last_error.clone()
    }

    pub(super) fn get(&self) -> Option<Held> {
        self.slot().held.clone()
    }

    pub(super) fn put(&self, held: Held) {
        let mut slot = self.slot();
        slot.held = Some(held);
        slot.last_error = None;
    }

    pub(super) fn clear(&self) {
        self.slot().held = None;
    }

    pub(super) fn etag(&self) -> Option<EntityTag> {
        self.slot().held.as_ref()?.etag.clone()
    }

    /// The provider says that nothing changed, and gives how long the document is fresh: a provider that says nothing of it
    /// now means what it said before (RFC 9111 §4.3.4).
    pub(super) fn confirm(&self, now: Timestamp, max_age: Option<Duration>) -> Option<Duration> {
        let mut slot = self.slot();
        slot.last_error = None;
        let held = slot.held.as_mut()?;
        held.confirmed_at = now;
        held.max_age = max_age.or(held.max_age);
        held.max_age
    }

    /// The provider gave nothing that can be used.
    pub(super) fn fail(&self, why: &str) {
        self.slot().last_error = Some(why.to_owned());
    }

    /// Whether `document` is the one that is held.
    pub(super) fn is(&self, document: &[u8]) -> bool {
        let slot = self.slot();
        slot.held
            .as_ref()
            .is_some_and(|held| *held.document == *document)
    }

    /// How long what is held may serve yet, if it serves `stale_max` without confirmation; `None` when nothing is held.
    pub(super) fn life_left(&self, stale_max: Duration, now: Timestamp) -> Option<Duration> {
        let confirmed_at = self.confirmed_at()?;
        Some(stale_max.saturating_sub(now.since(confirmed_at)))
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0
            .lock()
            .expect("nobody panics while holding a document")
    }
}
