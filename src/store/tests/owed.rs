//! What a file owes that does not take it: an operator's word is kept until it is written, and means what it meant.

use std::time::Duration;

use futures_util::FutureExt as _;
use rusqlite::Connection;

use super::support::{Process, process, process_at, sqlite};
use crate::session::{OWN_ISSUER, Revocation, Revoked, StoreError};
use crate::time::Clock as _;

#[tokio::test]
async fn what_is_revoked_while_too_many_wait_is_written_when_they_are_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = process(&sqlite(folder.path()));
    let opened = process.login("u_1").await;
    let other = Connection::open(folder.path().join("sessions.db")).expect("a file");
    other.execute_batch("BEGIN IMMEDIATE").expect("it is free");
    let confirm = || process.service.confirm(opened.session.id, 0);
    while confirm().now_or_never().is_none() {}
    let denied = process.service.deny(denial(&process)).await;
    assert_eq!(denied, Err(StoreError::Overloaded));
    assert_eq!(process.revocations.len(), 1, "it counts at once");
    other.execute_batch("COMMIT").expect("it was ours");
    written(&other).await;
    let clock = process.clock.clone();
    drop(process);
    let after = process_at(&sqlite(folder.path()), clock);
    assert!(after.refresh(&opened.refresh_token).await.is_err());
}

#[tokio::test]
async fn who_logs_in_behind_an_operators_word_is_not_meant_though_it_is_written_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = process(&sqlite(folder.path()));
    let before = process.login("u_1").await;
    let other = Connection::open(folder.path().join("sessions.db")).expect("a file");
    other.execute_batch("BEGIN IMMEDIATE").expect("it is free");
    assert!(process.service.deny(denial(&process)).await.is_err());
    process.clock.advance(Duration::from_secs(1));
    other.execute_batch("COMMIT").expect("it was ours");
    let after = process.login("u_1").await;
    written(&other).await;
    process.rotated(&after.refresh_token).await;
    assert!(process.refresh(&before.refresh_token).await.is_err());
}

fn denial(process: &Process) -> Revocation {
    let now = process.clock.now();
    Revocation {
        what: Revoked::Subject("u_1".into()),
        issuer: Some(OWN_ISSUER.into()),
        cutoff: now,
        expires_at: now.plus(Duration::from_secs(60)),
    }
}

/// Waits until the file has the operator's word.
async fn written(file: &Connection) {
    let logged = "SELECT count(*) > 0 FROM revlog WHERE kind = 'subject'";
    let written = async {
        while file.query_row(logged, [], |row| row.get(0)) != Ok(true) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(5), written).await;
    within.expect("it is written without being asked for again");
}
