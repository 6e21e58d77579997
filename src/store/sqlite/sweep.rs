//! What has expired leaves the file.

use rusqlite::{TransactionBehavior, params};

use super::db::Db;
use super::row::millis;
use crate::store::memory::KEPT_AFTER_END;
use crate::time::Timestamp;

/// Whether there is more to sweep.
#[derive(Clone, Copy)]
pub(super) enum Swept {
    /// No.
    All,
    /// Perhaps.
    Part,
}

/// Deletes what has expired, a few rows at a time: whoever wants to write waits for none of it.
pub(super) fn sweep(connection: &mut Db, now: Timestamp) -> rusqlite::Result<Swept> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let kept_since = millis(now.minus(KEPT_AFTER_END));
    let mut swept = Swept::All;
    for (sweep, before) in [
        (SWEEP_EXPIRED, kept_since),
        (SWEEP_REVOKED, kept_since),
        (SWEEP_REVLOG, millis(now)),
        (SWEEP_USED, millis(now)),
    ] {
        let gone = transaction
            .prepare_cached(sweep)?
            .execute(params![before, SWEEP_ROWS_MAX])?;
        if gone as i64 == SWEEP_ROWS_MAX {
            swept = Swept::Part;
        }
    }
    transaction.commit()?;
    Ok(swept)
}

const SWEEP_ROWS_MAX: i64 = 100;
const SWEEP_EXPIRED: &str = "DELETE FROM session WHERE sid IN
    (SELECT sid FROM session WHERE expires_hour <= ?1 / 3600000 AND expires_at < ?1 LIMIT ?2)";
const SWEEP_REVOKED: &str = "DELETE FROM session WHERE sid IN
    (SELECT sid FROM session WHERE revoked_at < ?1 LIMIT ?2)";
const SWEEP_REVLOG: &str = "DELETE FROM revlog WHERE seq IN
    (SELECT seq FROM revlog WHERE expires_at < ?1 LIMIT ?2)";
const SWEEP_USED: &str = "DELETE FROM used_once WHERE digest IN
    (SELECT digest FROM used_once WHERE expires_at < ?1 LIMIT ?2)";
