//! The file's own time, over clocks that are put right and processes that end either way.

use std::time::Duration;

use super::support::{START, process, process_at, sqlite, surroundings};
use crate::session::{Revocation, Revoked};
use crate::store::SqliteStore;

#[test]
fn a_clock_that_ran_ahead_once_is_no_further_ahead_after_each_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.db");
    let open = || SqliteStore::open(&path, surroundings()).expect("a store");
    let ahead = START.plus(Duration::from_secs(3));
    open().rest(ahead);
    for _ in 0..3 {
        let store = open();
        assert_eq!(store.passed(), ahead);
        store.rest(ahead);
    }
    let file = rusqlite::Connection::open(&path).expect("a file");
    file.execute_batch("UPDATE clock SET rested = 0")
        .expect("it was killed");
    assert_eq!(open().passed(), START.plus(Duration::from_secs(8)));
}

/// What was owed while the clock had jumped is written when the time is put right; in memory it counts as it was said.
#[tokio::test]
async fn who_was_revoked_while_the_clock_had_jumped_may_log_in_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = process(&sqlite(folder.path()));
    let (dead, clock) = (before.login("u_1").await, before.clock.clone());
    let jumped = START.plus(Duration::from_secs(20 * 86_400));
    let said = Revocation {
        what: Revoked::Subject("u_1".into()),
        issuer: None,
        cutoff: jumped,
        expires_at: jumped.plus(Duration::from_secs(600)),
    };
    let denied = before.service.deny(said).await;
    denied.expect("the store is there");
    drop(before);
    clock.advance(Duration::from_secs(1));
    let after = process_at(&sqlite(folder.path()), clock);
    assert!(after.refresh(&dead.refresh_token).await.is_err());
    let opened = after.login("u_1").await;
    after.rotated(&opened.refresh_token).await;
}

/// A new one would be readable by all, and the next process would keep its salts there.
#[test]
fn the_last_word_of_a_process_makes_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.db");
    let store = SqliteStore::open(&path, surroundings()).expect("a store");
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        std::fs::remove_file(file.expect("a file").path()).expect("it is removed");
    }
    store.rest(START);
    assert!(!path.exists());
}
