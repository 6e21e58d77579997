//! The file's own time, over clocks that are put right and processes that end either way.

use std::time::Duration;

use super::support::{START, surroundings};
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
