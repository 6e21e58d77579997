//! Keys that outlive the process: the last document of each issuer, with whose it is and when its provider confirmed it.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::model::{Issuer, RemoteKeys};
use crate::control::state::StateDir;
use crate::time::Timestamp;

/// How far a clock that was set back between two processes may have been wrong.
const CLOCK_STEP_MAX: Duration = Duration::from_secs(60);

/// One issuer's document, as its provider had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::control) struct Kept {
    /// Whose keys they are: a name that is configured for another issuer later must not inherit them.
    issuer: String,
    /// Where they were fetched; empty when they were discovered.
    source: String,
    fetched_at_ms: u64,
    jwks: String,
}

impl Kept {
    /// What to keep of `document`, confirmed at `fetched_at`; `None` when it is no text.
    pub(super) fn new(
        issuer: &Issuer,
        keys: &RemoteKeys,
        document: &[u8],
        fetched_at: Timestamp,
    ) -> Option<Self> {
        Some(Self {
            issuer: issuer.terms.issuer.to_string(),
            source: source(keys),
            fetched_at_ms: fetched_at.as_millis(),
            jwks: std::str::from_utf8(document).ok()?.to_owned(),
        })
    }

    /// When the provider confirmed it.
    pub(super) fn fetched_at(&self) -> Timestamp {
        Timestamp::from_millis(self.fetched_at_ms)
    }

    /// The document.
    pub(super) fn document(&self) -> &[u8] {
        self.jwks.as_bytes()
    }

    /// Replaces what is kept under the issuer's name.
    pub(super) fn store(&self, state: &StateDir, name: &str) -> io::Result<()> {
        state.write(&file(name), &serde_json::to_vec(self)?)
    }

    /// What is kept of `issuer`, if it came from where `keys` are now and is not older than `keys_stale_max` at `now`.
    ///
    /// # Errors
    /// A text for the operator when something is kept and cannot be used.
    pub(super) fn load(
        state: &StateDir,
        issuer: &Issuer,
        keys: &RemoteKeys,
        now: Timestamp,
    ) -> Result<Option<Self>, String> {
        let bytes = state.read(&file(&issuer.terms.name));
        let Some(bytes) = bytes.map_err(|error| format!("they cannot be read: {error}"))? else {
            return Ok(None);
        };
        let kept: Self =
            serde_json::from_slice(&bytes).map_err(|error| format!("they are damaged: {error}"))?;
        if kept.issuer != *issuer.terms.issuer || kept.source != source(keys) {
            return Err("they are those of another issuer or address".to_owned());
        }
        // A moment that lies far ahead was written under a wrong clock; its age is unknown.
        if kept.fetched_at() > now.plus(CLOCK_STEP_MAX)
            || now.since(kept.fetched_at()) > keys.keys_stale_max
        {
            return Err("they are older than keys_stale_max".to_owned());
        }
        Ok(Some(kept))
    }
}

fn source(keys: &RemoteKeys) -> String {
    keys.jwks_url.as_deref().unwrap_or_default().to_owned()
}

/// A file of its own for every name, whatever characters the name has.
fn file(name: &str) -> String {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if plain && (1..=64).contains(&name.len()) {
        format!("keys/{name}.json")
    } else {
        format!("keys/name.{}.json", blake3::hash(name.as_bytes()).to_hex())
    }
}

#[cfg(test)]
mod tests {
    use super::file;

    #[test]
    fn a_name_never_leaves_the_folder() {
        assert_eq!(file("main"), "keys/main.json");
        for name in ["../main", "a/b", "", ".", "ä"] {
            let file = file(name);
            assert!(
                file.starts_with("keys/name.") && !file.contains(".."),
                "{file}"
            );
        }
    }
}
