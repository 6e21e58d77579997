//! The book of all keys: since when each is published, how often it vouched for a token, and which ones nobody shall trust
//! again. Survives a restart in `server.state_dir`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::event::DistrustError;
use super::key_record::{self, Alarm, KeyRecord, Records};
use super::keys::Holding;
use super::state::StateDir;
use crate::time::Timestamp;
use crate::token::{IssuerTerms, KeySet};

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
    /// By the issuer's name in the configuration.
    records: BTreeMap<String, Records>,
    /// By `iss`: whatever the issuer is called, it gets no trust back.
    distrusted: Distrusted,
    /// What serves now, by the issuer's name in the configuration.
    serving: HashMap<Arc<str>, Serving>,
}

/// `kid`s and thumbprints that are not trusted again, by `iss`.
type Distrusted = BTreeMap<String, BTreeSet<String>>;

/// One issuer's keys in service.
#[derive(Debug)]
struct Serving {
    /// They count their uses themselves.
    keys: Arc<KeySet>,
    /// What its refresher holds; `None` for keys of the configuration.
    held: Option<Holding>,
}

/// Everything that the ledger knows, for `/api/status`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LedgerView {
    /// Every remembered key, by the issuer's name in the configuration and `kid`; a key without `kid` goes by its thumbprint.
    pub keys: BTreeMap<String, BTreeMap<String, KeyRecord>>,
    /// `kid`s and thumbprints that are not trusted again, by `iss`.
    pub distrusted: BTreeMap<String, BTreeSet<String>>,
}

impl Ledger {
    /// Opens the book that an earlier process left in `state`.
    ///
    /// # Errors
    /// A text for the operator when the list of distrusted keys cannot be read: to go on would be to trust them again.
    pub(super) fn open(state: Option<StateDir>) -> Result<Self, String> {
        let mut book = Book::default();
        if let Some(state) = &state {
            let refused = |error| {
                let path = state.path(DISTRUSTED_FILE);
                format!(
                    "the list of distrusted keys cannot be read: {}: {error}; put an earlier copy in its place, or remove it \
                     to trust all of them again",
                    path.display()
                )
            };
            book.distrusted = read(state, DISTRUSTED_FILE).map_err(refused)?;
            book.records = read(state, RECORDS_FILE).unwrap_or_else(|error| {
                tracing::warn!(%error, "the key ledger cannot be read and begins anew");
                BTreeMap::new()
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
        book.confirm();
        LedgerView {
            keys: book.records.clone(),
            distrusted: book.distrusted.clone(),
        }
    }

    /// Takes note of the keys that an issuer publishes from `now` on. `held` is what its refresher holds, if it has one.
    pub(super) fn observe(
        &self,
        terms: &IssuerTerms,
        keys: &Arc<KeySet>,
        held: Option<Holding>,
        now: Timestamp,
    ) -> Vec<(String, Alarm)> {
        let mut book = self.book();
        book.count();
        let serving = Serving {
            keys: keys.clone(),
            held,
        };
        book.serving.insert(terms.name.clone(), serving);
        let records = book.records.entry(terms.name.to_string()).or_default();
        let alarms = key_record::note(records, keys, now);
        book.count();
        alarms
    }

    /// The keys of `iss`, of which those on the list vouch for nothing.
    pub(super) fn trusted(&self, iss: &str, keys: &Arc<KeySet>) -> Arc<KeySet> {
        match self.book().distrusted.get(iss) {
            Some(names) if !names.is_empty() => {
                let names: Vec<&String> = names.iter().collect();
                Arc::new(keys.distrusting(&names))
            }
            _ => keys.clone(),
        }
    }

    /// Whether a key is on the list.
    pub fn is_distrusted(&self, iss: &str, kid: &str) -> bool {
        let book = self.book();
        let names = book.distrusted.get(iss);
        names.is_some_and(|names| names.contains(kid))
    }

    /// Puts a key on the list, under its name and by its material: under another name it is not trusted either. Says whether
    /// its issuer was ever seen to publish it; one that was not is distrusted should it come.
    ///
    /// # Errors
    /// [`DistrustError::Full`]; nothing was changed.
    pub(super) fn distrust(&self, terms: &IssuerTerms, kid: &str) -> Result<bool, DistrustError> {
        let mut book = self.book();
        let records = book.records.get(&*terms.name);
        let is_known = records.is_some_and(|records| {
            let mut records = records.iter();
            records.any(|(name, record)| name == kid || record.thumbprints.contains(kid))
        });
        let record = records.and_then(|records| records.get(kid));
        let thumbprints = record.map(|record| record.thumbprints.clone());
        let thumbprints = thumbprints.unwrap_or_default();
        let names = book.distrusted.entry(terms.issuer.to_string()).or_default();
        if names.len() + thumbprints.len() >= DISTRUSTED_MAX {
            return Err(DistrustError::Full);
        }
        names.insert(kid.to_owned());
        names.extend(thumbprints);
        Ok(is_known)
    }

    /// Writes the list of distrusted keys down, so that it survives a restart; `false` without a state folder.
    pub(super) fn store_distrusted(&self) -> io::Result<bool> {
        let Some(state) = &self.state else {
            return Ok(false);
        };
        let bytes = serde_json::to_vec_pretty(&self.book().distrusted)?;
        state.write(DISTRUSTED_FILE, &bytes).map(|()| true)
    }

    /// Forgets the issuers that are no longer configured; what was distrusted stays so.
    pub(super) fn retain(&self, is_configured: impl Fn(&str) -> bool) {
        let mut book = self.book();
        book.serving.retain(|issuer, _| is_configured(issuer));
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
        for (issuer, Serving { keys, .. }) in &self.serving {
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

    /// Notes when each issuer last said that it publishes its keys.
    fn confirm(&mut self) {
        for (issuer, serving) in &self.serving {
            let confirmed_at = serving.held.as_ref().and_then(Holding::confirmed_at);
            let (Some(at), Some(records)) = (confirmed_at, self.records.get_mut(&**issuer)) else {
                continue;
            };
            for record in records.values_mut().filter(|record| record.published) {
                record.last_seen_ms = record.last_seen_ms.max(at.as_millis());
            }
        }
    }
}

fn read<T: Default + DeserializeOwned>(state: &StateDir, name: &str) -> io::Result<T> {
    match state.read(name)? {
        Some(bytes) => Ok(serde_json::from_slice(&bytes)?),
        None => Ok(T::default()),
    }
}
