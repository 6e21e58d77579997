//! What is known of each key of one issuer, and the alarm when a key does what honest keys do not. Knows no file, no set that
//! serves and no distrust.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::token::KeySet;

/// How many keys are remembered of one issuer; those that vanished first give way.
const RECORDS_MAX: usize = 500;

/// One issuer's keys, by `kid`; a key without `kid` goes by its thumbprint.
pub(super) type Records = BTreeMap<String, KeyRecord>;

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyRecord {
    /// When it was first published, in milliseconds since the epoch.
    pub first_seen_ms: u64,
    /// When its issuer last confirmed that it publishes it; a minute late at most once it has vanished.
    pub last_seen_ms: u64,
    /// When it last vouched for a token.
    pub last_used_ms: Option<u64>,
    /// How many tokens it vouched for.
    pub count: u64,
    /// The thumbprints of its material (RFC 7638); several when one `kid` names keys of several types.
    pub thumbprints: BTreeSet<String>,
    /// Whether its issuer publishes it now.
    pub published: bool,
    /// How much of the living key's own count is in `count` already.
    #[serde(skip)]
    pub(super) counted: u64,
}

/// Something that honest keys do not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alarm {
    /// Other material under a known `kid`.
    MaterialChanged,
    /// A key that had vanished is published again.
    Returned,
}

impl Alarm {
    /// The metric label.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::MaterialChanged => "material_changed",
            Self::Returned => "returned",
        }
    }
}

/// The names that a set publishes, each with the thumbprints of its material.
fn published(keys: &KeySet) -> BTreeMap<String, BTreeSet<String>> {
    let mut published: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for key in keys.keys() {
        // A shared secret has no thumbprint and leaves no trace here.
        if let Some(thumbprint) = key.thumbprint() {
            let name = key.kid().unwrap_or(thumbprint).to_owned();
            published
                .entry(name)
                .or_default()
                .insert(thumbprint.to_owned());
        }
    }
    published
}

/// Compares what is published now with what is on record, and puts it there.
pub(super) fn note(records: &mut Records, keys: &KeySet, now: Timestamp) -> Vec<(String, Alarm)> {
    let published = published(keys);
    for (name, record) in records.iter_mut() {
        if !published.contains_key(name) {
            record.vanish();
        }
    }
    let mut alarms = Vec::new();
    for (name, thumbprints) in &published {
        let record = records.entry(name.clone()).or_default();
        let alarm = record.publish(thumbprints, now);
        alarms.extend(alarm.map(|alarm| (name.clone(), alarm)));
    }
    while records.len() > RECORDS_MAX && forget_oldest(records) {}
    alarms
}

impl KeyRecord {
    fn vanish(&mut self) {
        self.published = false;
        self.counted = 0;
    }

    fn publish(&mut self, thumbprints: &BTreeSet<String>, now: Timestamp) -> Option<Alarm> {
        let is_new = self.thumbprints.is_empty();
        let is_changed = self.thumbprints != *thumbprints;
        let alarm = match (is_new, is_changed, self.published) {
            (false, true, _) => Some(Alarm::MaterialChanged),
            (false, false, false) => Some(Alarm::Returned),
            _ => None,
        };
        if is_new {
            self.first_seen_ms = now.as_millis();
        }
        if is_changed {
            self.thumbprints.clone_from(thumbprints);
            self.counted = 0;
        }
        self.published = true;
        self.last_seen_ms = now.as_millis();
        alarm
    }
}

/// Drops the record that vanished first; `false` when every key is published.
fn forget_oldest(records: &mut Records) -> bool {
    let vanished = records.iter().filter(|(_, record)| !record.published);
    let oldest = vanished.min_by_key(|(_, record)| record.last_seen_ms);
    let oldest = oldest.map(|(name, _)| name.clone());
    oldest.is_some_and(|name| records.remove(&name).is_some())
}
