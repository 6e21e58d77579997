//! What became of every key: since when it is published, how often it vouched for a token, and which ones nobody shall
//! trust again. Raises the alarm when a key does what honest keys do not. Survives a restart in `server.state_dir`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

use super::event::DistrustError;
use super::state::StateDir;
use crate::time::Timestamp;
use crate::token::KeySet;

/// How many keys are remembered of one issuer; those that vanished first give way.
const RECORDS_MAX: usize = 500;
/// How many keys of one issuer can be distrusted, by `kid` and by thumbprint.
const DISTRUSTED_MAX: usize = 1000;

const RECORDS_FILE: &str = "ledger.json";
const DISTRUSTED_FILE: &str = "distrust.json";

/// The book of all keys, by the issuer's name in the configuration.
#[derive(Debug)]
pub struct Ledger {
    state: Option<StateDir>,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    records: Records,
    distrusted: Distrusted,
    /// The sets that serve now: their keys count their uses themselves.
    sets: HashMap<Arc<str>, Arc<KeySet>>,
}

type Records = BTreeMap<String, BTreeMap<String, KeyRecord>>;
type Distrusted = BTreeMap<String, BTreeSet<String>>;

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyRecord {
    /// When it was first published, in milliseconds since the epoch.
    pub first_seen_ms: u64,
    /// When it was last published.
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
    counted: u64,
}

/// Everything that the ledger knows, for `/api/status`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LedgerView {
    /// Every remembered key, by issuer and `kid`; a key without `kid` goes by its thumbprint.
    pub keys: BTreeMap<String, BTreeMap<String, KeyRecord>>,
    /// `kid`s and thumbprints that are not trusted again, by issuer.
    pub distrusted: BTreeMap<String, BTreeSet<String>>,
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

impl Ledger {
    /// Opens the book that an earlier process left in `state`.
    ///
    /// # Errors
    /// A text for the operator when the list of distrusted keys cannot be read: to go on would be to trust them again.
    pub(super) fn open(state: Option<StateDir>) -> Result<Self, String> {
        let mut book = Book::default();
        if let Some(state) = &state {
            let refused = |error| format!("the list of distrusted keys cannot be read: {error}");
            book.distrusted = read(state, DISTRUSTED_FILE).map_err(refused)?;
            book.records = read(state, RECORDS_FILE).unwrap_or_else(|error| {
                tracing::warn!(%error, "the key ledger cannot be read and begins anew");
                Records::default()
            });
        }
        Ok(Self {
            state,
            book: Mutex::new(book),
        })
    }

    /// Everything that is known now.
    pub fn view(&self) -> LedgerView {
        let mut book = self.book();
        book.count();
        LedgerView {
            keys: book.records.clone(),
            distrusted: book.distrusted.clone(),
        }
    }

    /// Takes note of the keys that `issuer` publishes from `now` on.
    pub(super) fn observe(
        &self,
        issuer: &Arc<str>,
        keys: &Arc<KeySet>,
        now: Timestamp,
    ) -> Vec<(String, Alarm)> {
        let mut book = self.book();
        book.count();
        book.sets.insert(issuer.clone(), keys.clone());
        let records = book.records.entry(issuer.to_string()).or_default();
        let alarms = note(records, &published(keys), now);
        book.count();
        alarms
    }

    /// What is left of `keys` for tokens of `issuer`.
    pub(super) fn trusted(&self, issuer: &str, keys: &Arc<KeySet>) -> Arc<KeySet> {
        match self.book().distrusted.get(issuer) {
            Some(names) if !names.is_empty() => {
                let names: Vec<&String> = names.iter().collect();
                Arc::new(keys.without(&names))
            }
            _ => keys.clone(),
        }
    }

    /// Puts a key on the list, under its name and by its material: under another name it is not trusted either.
    ///
    /// # Errors
    /// [`DistrustError::Full`]; nothing was changed.
    pub(super) fn distrust(&self, issuer: &str, kid: &str) -> Result<(), DistrustError> {
        let mut book = self.book();
        let record = book
            .records
            .get(issuer)
            .and_then(|records| records.get(kid));
        let thumbprints = record.map(|record| record.thumbprints.clone());
        let thumbprints = thumbprints.unwrap_or_default();
        let names = book.distrusted.entry(issuer.to_owned()).or_default();
        if names.len() + thumbprints.len() >= DISTRUSTED_MAX {
            return Err(DistrustError::Full);
        }
        names.insert(kid.to_owned());
        names.extend(thumbprints);
        Ok(())
    }

    /// Writes the list of distrusted keys down, so that it survives a restart.
    pub(super) fn store_distrusted(&self) -> io::Result<()> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let bytes = serde_json::to_vec_pretty(&self.book().distrusted)?;
        state.write(DISTRUSTED_FILE, &bytes)
    }

    /// Forgets the issuers that are no longer configured; what was distrusted stays so.
    pub(super) fn retain(&self, is_configured: impl Fn(&str) -> bool) {
        let mut book = self.book();
        book.sets.retain(|issuer, _| is_configured(issuer));
        book.records.retain(|issuer, _| is_configured(issuer));
    }

    /// Writes the book down, so that it survives a restart.
    pub(super) fn store(&self) -> io::Result<()> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let bytes = serde_json::to_vec(&self.view().keys)?;
        state.write(RECORDS_FILE, &bytes)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("nobody panics while booking")
    }
}

impl Book {
    /// Adds what the keys counted since the last time.
    fn count(&mut self) {
        for (issuer, keys) in &self.sets {
            let Some(records) = self.records.get_mut(&**issuer) else {
                continue;
            };
            let mut uses: HashMap<&str, (u64, Option<u64>)> = HashMap::new();
            for key in keys.keys() {
                let Some(name) = key.kid().or(key.thumbprint()) else {
                    continue;
                };
                let (count, last_used) = uses.entry(name).or_default();
                *count += key.usage().count();
                let used = key.usage().last_used().map(Timestamp::as_millis);
                *last_used = used.max(*last_used);
            }
            for (name, (count, last_used)) in uses {
                if let Some(record) = records.get_mut(name) {
                    record.count += count.saturating_sub(record.counted);
                    record.counted = count;
                    record.last_used_ms = last_used.max(record.last_used_ms);
                }
            }
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
fn note(
    records: &mut BTreeMap<String, KeyRecord>,
    published: &BTreeMap<String, BTreeSet<String>>,
    now: Timestamp,
) -> Vec<(String, Alarm)> {
    for (name, record) in records.iter_mut() {
        if !published.contains_key(name) {
            record.vanish(now);
        }
    }
    let mut alarms = Vec::new();
    for (name, thumbprints) in published {
        let record = records.entry(name.clone()).or_default();
        let alarm = record.publish(thumbprints, now);
        alarms.extend(alarm.map(|alarm| (name.clone(), alarm)));
    }
    while records.len() > RECORDS_MAX && forget_oldest(records) {}
    alarms
}

impl KeyRecord {
    fn vanish(&mut self, now: Timestamp) {
        if self.published {
            self.last_seen_ms = now.as_millis();
        }
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
fn forget_oldest(records: &mut BTreeMap<String, KeyRecord>) -> bool {
    let vanished = records.iter().filter(|(_, record)| !record.published);
    let oldest = vanished.min_by_key(|(_, record)| record.last_seen_ms);
    let oldest = oldest.map(|(name, _)| name.clone());
    oldest.is_some_and(|name| records.remove(&name).is_some())
}

fn read<T: Default + for<'de> Deserialize<'de>>(state: &StateDir, name: &str) -> io::Result<T> {
    match state.read(name)? {
        Some(bytes) => Ok(serde_json::from_slice(&bytes)?),
        None => Ok(T::default()),
    }
}
