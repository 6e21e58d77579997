//! The set of what is revoked: bounded, read without a lock, written by one at a time. Knows fingerprints and moments;
//! does not know what they stand for.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::time::Timestamp;

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Whatever began at this moment or before is revoked.
    pub(super) cutoff: Timestamp,
    /// From then on nothing is left that it could hit.
    pub(super) expires_at: Timestamp,
    /// Which of the caller's classes it is counted under.
    pub(super) class: u8,
}

/// An entry that is to be told by `fingerprint`.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewEntry {
    pub(super) fingerprint: u64,
    pub(super) entry: Entry,
    pub(super) full: WhenFull,
}

/// What to do with an entry when the set is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhenFull {
    /// Keep it all the same: only the operator makes such entries.
    Keep,
    /// Refuse whatever shares its slot and was issued at this moment or before, on each side that has one.
    Blur([Option<Timestamp>; SIDES]),
}

/// Fingerprints and their entries. Reading is lock-free; each write copies the shards that it changes.
#[derive(Debug)]
pub(super) struct RevokedSet {
    shards: Box<[ArcSwap<Shard>]>,
    /// Entries of each class, so that a reader need not ask for a class that has none.
    classes: [AtomicUsize; CLASSES],
    len: AtomicUsize,
    blurred: AtomicBool,
    /// By side and fingerprint: the latest moment of issue that is refused. Made when the first is.
    slots: [OnceLock<Box<[AtomicU64]>>; SIDES],
    writer: Mutex<Writer>,
    entries_max: usize,
}

#[derive(Debug, Default)]
struct Writer {
    /// Fingerprints by when their entry is due to go.
    due: BTreeMap<u64, Vec<u64>>,
    blurred_until: Timestamp,
}

type Shard = HashMap<u64, Entry, BuildHasherDefault<Identity>>;

impl RevokedSet {
    pub(super) fn new(entries_max: usize) -> Self {
        let empty = Arc::new(Shard::default());
        Self {
            shards: (0..SHARDS).map(|_| ArcSwap::new(empty.clone())).collect(),
            classes: Default::default(),
            len: AtomicUsize::new(0),
            blurred: AtomicBool::new(false),
            slots: Default::default(),
            writer: Mutex::default(),
            entries_max,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether there is anything to ask for.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && !self.is_blurred()
    }

    pub(super) fn is_blurred(&self) -> bool {
        self.blurred.load(Ordering::Acquire)
    }

    pub(super) fn has_class(&self, class: u8) -> bool {
        self.classes[usize::from(class)].load(Ordering::Acquire) > 0
    }

    /// The entry of `fingerprint`, if it counts at `now`.
    pub(super) fn find(&self, fingerprint: u64, now: Timestamp) -> Option<Entry> {
        let entry = self.shard(fingerprint).load().get(&fingerprint).copied();
        entry.filter(|entry| now < entry.expires_at)
    }

    /// Whether something issued at `issued` shares a slot of its side with what no longer fitted in.
    pub(super) fn blurs(&self, side: usize, fingerprint: u64, issued: Timestamp) -> bool {
        let slots = self.slots[side].get();
        let slot = slots.map(|slots| slots[slot(fingerprint)].load(Ordering::Acquire));
        slot.is_some_and(|slot| issued.as_millis() < slot)
    }

    /// Adds entries, or widens those that are there. So many that come at once copy each shard once.
    pub(super) fn insert(&self, entries: &mut [NewEntry]) {
        let mut writer = self.lock();
        entries.sort_by_key(|new| shard_index(new.fingerprint));
        let same_shard =
            |a: &NewEntry, b: &NewEntry| shard_index(a.fingerprint) == shard_index(b.fingerprint);
        for entries in entries.chunk_by(same_shard) {
            self.insert_into_shard(&mut writer, entries);
        }
    }

    fn insert_into_shard(&self, writer: &mut Writer, entries: &[NewEntry]) {
        let shard = self.shard(entries[0].fingerprint);
        let mut next = Shard::clone(&shard.load());
        let mut changed = false;
        for new in entries {
            changed |= self.insert_one(writer, &mut next, new);
        }
        if changed {
            shard.store(Arc::new(next));
        }
    }

    /// Whether the shard is another one by it. A class is counted before its entry is there: who looks too early finds nothing.
    fn insert_one(&self, writer: &mut Writer, shard: &mut Shard, new: &NewEntry) -> bool {
        let &NewEntry {
            fingerprint,
            entry,
            full,
        } = new;
        let known = shard.get(&fingerprint).copied();
        if let (None, WhenFull::Blur(sides)) = (known, full)
            && self.len() >= self.entries_max
        {
            self.blur(writer, fingerprint, sides, entry.expires_at);
            return false;
        }
        let wider = known.map_or(entry, |known| Entry {
            cutoff: known.cutoff.max(entry.cutoff),
            expires_at: known.expires_at.max(entry.expires_at),
            class: known.class,
        });
        if known == Some(wider) {
            return false;
        }
        shard.insert(fingerprint, wider);
        let bucket = bucket(wider.expires_at);
        if known.is_none() {
            self.len.fetch_add(1, Ordering::AcqRel);
            self.classes[usize::from(wider.class)].fetch_add(1, Ordering::AcqRel);
        }
        if known.is_none_or(|known| self::bucket(known.expires_at) != bucket) {
            writer.due.entry(bucket).or_default().push(fingerprint);
        }
        true
    }

    /// Drops what has expired at `now`.
    pub(super) fn expire(&self, now: Timestamp) {
        let mut writer = self.lock();
        if self.is_blurred() && now >= writer.blurred_until {
            self.blurred.store(false, Ordering::Release);
            let slots = self.slots.iter().filter_map(OnceLock::get).flatten();
            slots.for_each(|slot| slot.store(0, Ordering::Release));
        }
        let later = writer.due.split_off(&bucket(now));
        let mut due: Vec<u64> = std::mem::replace(&mut writer.due, later)
            .into_values()
            .flatten()
            .collect();
        due.sort_unstable_by_key(|fingerprint| shard_index(*fingerprint));
        for same_shard in due.chunk_by(|a, b| shard_index(*a) == shard_index(*b)) {
            self.expire_shard(same_shard, now);
        }
    }

    fn expire_shard(&self, fingerprints: &[u64], now: Timestamp) {
        let shard = self.shard(fingerprints[0]);
        let mut next = Shard::clone(&shard.load());
        let mut gone = Vec::new();
        for fingerprint in fingerprints {
            if next
                .get(fingerprint)
                .is_some_and(|entry| entry.expires_at <= now)
            {
                gone.extend(next.remove(fingerprint));
            }
        }
        next.shrink_to_fit();
        shard.store(Arc::new(next));
        for entry in gone {
            self.len.fetch_sub(1, Ordering::AcqRel);
            self.classes[usize::from(entry.class)].fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn blur(
        &self,
        writer: &mut Writer,
        fingerprint: u64,
        sides: [Option<Timestamp>; SIDES],
        until: Timestamp,
    ) {
        for (slots, issued) in self.slots.iter().zip(sides) {
            let Some(issued) = issued else { continue };
            let slots = slots.get_or_init(|| (0..SLOTS).map(|_| AtomicU64::new(0)).collect());
            let refused_before = issued.as_millis().saturating_add(1);
            slots[slot(fingerprint)].fetch_max(refused_before, Ordering::AcqRel);
        }
        writer.blurred_until = writer.blurred_until.max(until);
        self.blurred.store(true, Ordering::Release);
    }

    fn shard(&self, fingerprint: u64) -> &ArcSwap<Shard> {
        &self.shards[shard_index(fingerprint)]
    }

    /// The writer is consistent after every statement, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The map's own hash uses the highest and the lowest bits; the shard is in between.
fn shard_index(fingerprint: u64) -> usize {
    (fingerprint >> 32) as usize % SHARDS
}

fn slot(fingerprint: u64) -> usize {
    fingerprint as usize % SLOTS
}

/// Entries that go at nearly the same time go together. One bucket later than due: nothing leaves early.
fn bucket(expires_at: Timestamp) -> u64 {
    expires_at.as_millis() / BUCKET.as_millis() as u64
}

/// A fingerprint is a keyed hash already.
#[derive(Debug, Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("fingerprints are u64")
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}

/// Classes that a caller may tell apart.
const CLASSES: usize = 16;
/// So many that a full set copies some 250 entries a write.
const SHARDS: usize = 4096;
/// Sides that an entry may count on, each with slots of its own.
const SIDES: usize = 2;
/// Half a megabyte of cutoffs a side for what no longer fits in.
const SLOTS: usize = 65_536;
const BUCKET: Duration = Duration::from_secs(10);
