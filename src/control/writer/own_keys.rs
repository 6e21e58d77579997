//! Which of the gate's own signing keys verify no longer, because the last token that they signed has expired.

use std::sync::Arc;

use crate::config::Config;
use crate::control::ledger::Ledger;
use crate::session::OWN_ISSUER;
use crate::time::Timestamp;
use crate::token::KeySet;

/// The `kid`s of keys that have served their time at `now`.
pub(super) fn gone(config: &Config, ledger: &Ledger, now: Timestamp) -> Vec<String> {
    let Some(sessions) = &config.sessions else {
        return Vec::new();
    };
    let is_trusted = |kid: &str| !ledger.is_distrusted(&sessions.issuer, kid);
    let (keys, lifetime) = (&sessions.signing_keys, sessions.access_lifetime_max);
    let gone = keys.gone(now, lifetime, is_trusted).into_iter();
    gone.map(str::to_owned).collect()
}

/// The keys of an issuer without those that are gone, if they are the gate's own.
pub(super) fn without(keys: Arc<KeySet>, issuer: &str, gone: &[String]) -> Arc<KeySet> {
    match issuer == OWN_ISSUER && !gone.is_empty() {
        true => Arc::new(keys.without(gone)),
        false => keys,
    }
}
