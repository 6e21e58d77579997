//! What this room tells about its doings. Metrics implement it; knows no metric.

use crate::time::Timestamp;

/// Hears of every outcome. All labels are names of the configuration or words of closed lists.
pub trait Witness: Send + Sync {
    /// A reload ended: `ok` or `rejected`.
    fn reload(&self, _outcome: &'static str) {}
    /// A gate was published.
    fn generation(&self, _generation: u64) {}
    /// A fetch of an issuer's keys ended: `replaced`, `unchanged` or `failed`.
    fn issuer_refresh(&self, _issuer: &str, _outcome: &'static str) {}
    /// An issuer's keys were confirmed or replaced by its provider at `at`.
    fn issuer_refreshed(&self, _issuer: &str, _at: Timestamp) {}
    /// An issuer has this many usable keys from now on.
    fn issuer_keys(&self, _issuer: &str, _keys: usize) {}
    /// An issuer is no longer configured.
    fn issuer_gone(&self, _issuer: &str) {}
    /// A key did what honest keys do not: `material_changed` or `returned`.
    fn key_alarm(&self, _issuer: &str, _cause: &'static str) {}
    /// The first certificate of a listener to expire does so at `at`.
    fn certificate_expiry(&self, _listener: &str, _at: Timestamp) {}
}

/// Hears nothing: for tests and for commands that serve nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwitnessed;

impl Witness for Unwitnessed {}
