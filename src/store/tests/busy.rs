//! The file while another process has it.

use std::sync::mpsc::{TryRecvError, channel};
use std::time::Duration;

use tokio::time::timeout;

use super::support::{process, sqlite};
use crate::session::{Rotation, Why};
use crate::time::Clock as _;

#[tokio::test]
async fn who_was_told_that_the_store_is_slow_has_spent_nothing_and_begun_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = process(&sqlite(folder.path()));
    let (known, leaving) = (process.login("u_1").await, process.login("u_2").await);
    let other = rusqlite::Connection::open(folder.path().join("sessions.db")).expect("a file");
    other
        .execute_batch("BEGIN IMMEDIATE")
        .expect("nobody writes");
    let waits = Duration::from_millis(100);
    let refreshed = timeout(waits, process.refresh(&known.refresh_token)).await;
    let begun = timeout(waits, process.login("u_3")).await;
    let left = process.service.revoke(leaving.session.id, Why::Logout);
    let left = timeout(waits, left).await;
    assert!(refreshed.is_err() && begun.is_err() && left.is_err());
    other.execute_batch("COMMIT").expect("it is free");
    // Behind what was asked before.
    process.login("u_4").await;
    let now = process.clock.now();
    let live = async |subject| process.service.live_of(subject, now).await.expect("a list");
    assert!(live("u_3").await.is_empty());
    assert!(
        live("u_2").await.is_empty(),
        "a logout needs nobody to wait"
    );
    process.rotated(&known.refresh_token).await;
    let again = process.refresh(&known.refresh_token).await;
    assert_eq!(again.expect("its first reply").rotation, Rotation::Replayed);
}

#[tokio::test]
async fn a_process_that_hardly_pauses_between_its_commits_leaves_room_for_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = process(&sqlite(folder.path()));
    let busy = rusqlite::Connection::open(folder.path().join("sessions.db")).expect("a file");
    busy.busy_timeout(Duration::from_secs(60))
        .expect("patience");
    let (over, until) = channel::<()>();
    let busy = std::thread::spawn(move || {
        while until.try_recv() == Err(TryRecvError::Empty) {
            busy.execute_batch("BEGIN IMMEDIATE").expect("its turn");
            std::thread::sleep(Duration::from_millis(2));
            busy.execute_batch("COMMIT").expect("committed");
            std::thread::sleep(Duration::from_micros(50));
        }
    });
    for user in 0..80 {
        process.login(&format!("u_{user}")).await;
    }
    drop(over);
    busy.join().expect("nobody kept it waiting for long");
}
