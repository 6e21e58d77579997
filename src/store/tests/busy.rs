//! The file while another process has it.

use std::sync::mpsc::{TryRecvError, channel};
use std::time::Duration;

use super::support::{process, sqlite};

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
