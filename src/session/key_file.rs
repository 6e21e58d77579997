//! The file of signing keys: PEM (RFC 7468), and above each later key a line that says from when it signs. Other programs
//! take that line for a comment, as the RFC has it.
//!
//! ```text
//! -----BEGIN PRIVATE KEY-----        the first key: it signs until the next one does
//! …
//! Signs-From: 1764005400             seconds since the epoch
//! -----BEGIN PRIVATE KEY-----
//! …
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::signing::{ScheduledKey, Stage, stages};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token::SigningKey;

/// Keys that follow each other, the earliest first. Never empty.
#[derive(Debug)]
pub struct KeyFile(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    scheduled: ScheduledKey,
    pem: Secret,
}

/// A rotation that was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Rotate {
    /// The present.
    pub now: Timestamp,
    /// How long the new key is published before it signs.
    pub lead: Duration,
    /// How long the tokens live that the keys sign.
    pub lifetime: Duration,
    /// What becomes of keys that wait already.
    pub waiting: Waiting,
}

/// What becomes of keys that wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// They stay, and there is no rotation.
    Refuse,
    /// They go.
    Replace,
}

impl KeyFile {
    /// Reads the keys of a file.
    ///
    /// # Errors
    /// A text for the operator: no key, one that is unusable, or no order in which they follow.
    pub fn parse(text: &Secret) -> Result<Self, String> {
        let mut entries: Vec<Entry> = Vec::new();
        for (signs_from, pem) in blocks(text)? {
            let key = Arc::new(SigningKey::from_pem(&pem)?);
            if entries
                .last()
                .is_some_and(|before| before.scheduled.signs_from >= signs_from)
            {
                return Err(format!(
                    "several keys, and no `{HEADER}` line above the later ones that says from when each signs"
                ));
            }
            let scheduled = ScheduledKey { key, signs_from };
            entries.push(Entry { scheduled, pem });
        }
        if entries.is_empty() {
            // Perhaps it says better what is wrong.
            let key = Arc::new(SigningKey::from_pem(text)?);
            let signs_from = Timestamp::default();
            let scheduled = ScheduledKey { key, signs_from };
            let pem = text.clone();
            entries.push(Entry { scheduled, pem });
        }
        Ok(Self(entries))
    }

    /// The keys, the earliest first.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &ScheduledKey> {
        self.0.iter().map(|entry| &entry.scheduled)
    }

    /// The keys alone.
    pub fn into_keys(self) -> Vec<ScheduledKey> {
        let entries = self.0.into_iter();
        entries.map(|entry| entry.scheduled).collect()
    }

    /// The stage of each key at `now`, in their order.
    pub fn stages(&self, now: Timestamp, lifetime: Duration) -> Vec<Stage> {
        let starts: Vec<_> = self.keys().map(|key| key.signs_from).collect();
        stages(&starts, now, lifetime)
    }

    /// Puts `pem` behind the last key, and drops those that are gone.
    ///
    /// # Errors
    /// A text for the operator: a key waits already, or `pem` is no key. Nothing has changed.
    pub fn rotate(&mut self, pem: Secret, asked: &Rotate) -> Result<(), String> {
        let key = Arc::new(SigningKey::from_pem(&pem)?);
        let stages = self.stages(asked.now, asked.lifetime);
        if asked.waiting == Waiting::Refuse
            && let Some(waiting) = stages.iter().position(|stage| *stage == Stage::Next)
        {
            let kid = self.0[waiting].scheduled.key.kid();
            return Err(format!(
                "{kid} waits already; --replace puts a new key in its place"
            ));
        }
        let mut stages = stages.into_iter();
        self.0.retain(|_| {
            let stage = stages.next();
            matches!(stage, Some(Stage::Active | Stage::Retired))
        });
        // Whole seconds in the file: never earlier than asked for.
        let second = asked.now.plus(asked.lead).as_secs() + 1;
        let signs_from = Timestamp::from_secs(second);
        let scheduled = ScheduledKey { key, signs_from };
        self.0.push(Entry { scheduled, pem });
        Ok(())
    }

    /// The file.
    pub fn to_text(&self) -> Secret {
        let mut text = Vec::new();
        for Entry { scheduled, pem } in &self.0 {
            if scheduled.signs_from != Timestamp::default() {
                let seconds = scheduled.signs_from.as_secs();
                text.extend(format!("{HEADER} {seconds}\n").into_bytes());
            }
            text.extend_from_slice(pem.expose().trim_ascii());
            text.push(b'\n');
        }
        Secret::new(text)
    }
}

/// The private keys of a file, each under the moment above it.
fn blocks(text: &Secret) -> Result<Vec<(Timestamp, Secret)>, String> {
    let text = std::str::from_utf8(text.expose()).map_err(|_| "not a text".to_owned())?;
    let (mut blocks, mut signs_from) = (Vec::new(), Timestamp::default());
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        if let Some(seconds) = rest[..at]
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix(HEADER))
        {
            let seconds = seconds.trim().parse();
            let seconds = seconds.map_err(|_| format!("`{HEADER}` is seconds since the epoch"))?;
            signs_from = Timestamp::from_secs(seconds);
        }
        let end = rest[at..].find(END);
        let end = end.ok_or("a private key in PEM has no end line")?;
        let end = at + end + END.len();
        blocks.push((signs_from, Secret::new(rest.as_bytes()[at..end].to_vec())));
        rest = &rest[end..];
    }
    Ok(blocks)
}

const HEADER: &str = "Signs-From:";
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
