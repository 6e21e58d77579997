//! What a file adds: it outlives the process, may be shared, backed up and read, and tells nothing.

use std::time::Duration;

use super::support::{process, process_at, sqlite};
use crate::config::model::SessionStoreKind;
use crate::session::{OWN_ISSUER, RefreshError, Revocation, Revoked, Rotation, StoreError, Why};
use crate::store::{OpenError, SqliteStore, backup};
use crate::time::Clock as _;

#[tokio::test]
async fn sessions_and_revocations_outlive_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = process(&sqlite(folder.path()));
    let alive = before.login("u_1").await;
    let dead = before.login("u_2").await;
    let ended = before.service.revoke(dead.session.id, Why::Logout).await;
    ended.expect("the store is there");
    let clock = before.clock.clone();
    drop(before);
    let after = process_at(&sqlite(folder.path()), clock);
    assert_eq!(after.revocations.len(), 1);
    assert!(after.refresh(&dead.refresh_token).await.is_err());
    after.rotated(&alive.refresh_token).await;
}

#[tokio::test]
async fn two_processes_share_a_file_and_hear_of_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = process(&sqlite(folder.path()));
    let new = process(&sqlite(folder.path()));
    let opened = old.login("u_1").await;
    let second = new.rotated(&opened.refresh_token).await;
    let replay = old.refresh(&opened.refresh_token).await;
    let replay = replay.expect("within the grace");
    assert_eq!(replay.refresh_token, second.refresh_token);
    let ended = new.service.revoke(opened.session.id, Why::Logout).await;
    ended.expect("the store is there");
    let heard = async {
        while old.revocations.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(1), heard).await;
    within.expect("the other process hears of it within a second");
}

#[tokio::test]
async fn nothing_in_the_file_is_a_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = process(&sqlite(folder.path()));
    let mut tokens = vec![process.login("u_1").await.refresh_token];
    for _ in 0..5 {
        let last = tokens.last().expect("one at least");
        tokens.push(process.rotated(last).await.refresh_token);
    }
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        let path = file.expect("a file").path();
        bytes.extend(
            std::io::Read::bytes(std::fs::File::open(path).expect("a file"))
                .map(|byte| byte.expect("a byte")),
        );
    }
    let holds = |needle: &[u8]| memchr::memmem::find(&bytes, needle).is_some();
    assert!(holds(b"u_1"), "the files were read");
    assert!(!holds(b"opaque"), "the handle is sealed");
    for token in &tokens {
        assert!(!holds(token.as_bytes()));
        // Not in raw bytes either: the tag is its last 24.
        let raw = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, &token[4..]);
        let raw = raw.expect("we made it");
        assert!(!holds(&raw[raw.len() - 24..]));
    }
}

#[tokio::test]
async fn a_backup_is_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = process(&sqlite(folder.path()));
    let opened = process.login("u_1").await;
    let copy = folder.path().join("copy.db");
    backup(&folder.path().join("sessions.db"), &copy).expect("a copy");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&copy).expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let again = backup(&folder.path().join("sessions.db"), &copy);
    assert!(matches!(again, Err(OpenError::Io { .. })));
    let restored = process_at(&SessionStoreKind::Sqlite(copy), process.clock.clone());
    restored.rotated(&opened.refresh_token).await;
}

/// The log of a store that stopped would be laid over whatever stands in its place later.
#[tokio::test]
async fn a_store_that_stopped_is_one_whole_file_and_a_copy_takes_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let [path, copy, cold] =
        ["sessions.db", "copy.db", "cold.db"].map(|name| folder.path().join(name));
    let before = process(&sqlite(folder.path()));
    let early = before.login("u_1").await;
    backup(&path, &copy).expect("a copy");
    let late = before.login("u_2").await;
    before.store.rest(before.clock.now());
    std::fs::copy(&path, &cold).expect("it is copied");
    let cold = process_at(&SessionStoreKind::Sqlite(cold), before.clock.clone());
    cold.rotated(&late.refresh_token).await;
    // As a process leaves it whose last connection was never closed.
    std::fs::copy(&copy, &path).expect("it is put back");
    let after = process_at(&sqlite(folder.path()), before.clock.clone());
    let unknown = after.refresh(&late.refresh_token).await;
    assert_eq!(unknown.expect_err("it is of later"), RefreshError::Unknown);
    after.rotated(&early.refresh_token).await;
}

#[tokio::test]
async fn a_store_that_was_moved_or_replaced_keeps_nothing_and_spoils_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let [path, copy, away] =
        ["sessions.db", "copy.db", "away.db"].map(|name| folder.path().join(name));
    let process = process(&sqlite(folder.path()));
    let early = process.login("u_1").await.refresh_token;
    backup(&path, &copy).expect("a copy");
    let late = process.login("u_2").await.refresh_token;
    let refused = RefreshError::Store(StoreError::Unavailable);
    std::fs::rename(&path, &away).expect("it is moved");
    let answer = process.refresh(&late).await;
    assert_eq!(answer.expect_err("nobody would find it"), refused);
    std::fs::rename(&away, &path).expect("it is put back");
    process.rotated(&late).await;
    std::fs::rename(&copy, &path).expect("it is replaced");
    let answer = process.refresh(&early).await;
    assert_eq!(answer.expect_err("nobody would find it"), refused);
    process.store.rest(process.clock.now());
    let after = process_at(&sqlite(folder.path()), process.clock.clone());
    let unknown = after.refresh(&late).await;
    assert_eq!(unknown.expect_err("it is of later"), RefreshError::Unknown);
    after.rotated(&early).await;
}

#[tokio::test]
async fn nothing_is_kept_in_a_log_that_was_taken_away_and_a_stop_saves_what_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = process(&sqlite(folder.path()));
    let opened = process.login("u_1").await;
    let token = process.rotated(&opened.refresh_token).await.refresh_token;
    std::fs::remove_file(folder.path().join("sessions.db-wal")).expect("it is removed");
    let lost = process.service.revoke(opened.session.id, Why::Logout).await;
    assert_eq!(lost, Err(StoreError::Unavailable), "nobody would find it");
    process.store.rest(process.clock.now());
    let after = process_at(&sqlite(folder.path()), process.clock.clone());
    after.rotated(&token).await;
}

#[test]
fn half_a_backup_is_not_left_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, target) = (folder.path().join("none.db"), folder.path().join("copy.db"));
    std::fs::write(&source, "no database".repeat(500)).expect("a file");
    assert!(backup(&source, &target).is_err());
    assert!(!target.exists());
}

#[tokio::test]
async fn a_file_that_cannot_be_written_consumes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = process(&sqlite(folder.path()));
    let opened = process.login("u_1").await;
    let other = rusqlite::Connection::open(folder.path().join("sessions.db")).expect("a file");
    other
        .execute_batch(
            "CREATE TRIGGER full BEFORE UPDATE ON session BEGIN SELECT RAISE(ABORT, 'full'); END",
        )
        .expect("a trigger");
    let failed = process.refresh(&opened.refresh_token).await;
    assert!(matches!(failed, Err(RefreshError::Store(_))));
    other
        .execute_batch("DROP TRIGGER full")
        .expect("space again");
    let refreshed = process.refresh(&opened.refresh_token).await;
    assert_eq!(refreshed.expect("as before").rotation, Rotation::Rotated);
}

#[tokio::test]
async fn what_was_revoked_while_the_file_was_locked_is_written_when_it_is_free() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = process(&sqlite(folder.path()));
    let tokens = [
        process.login("u_1").await,
        process.login("u_2").await,
        process.login("u_3").await,
    ];
    let [returned, denied, logged_out] = &tokens;
    let other = rusqlite::Connection::open(folder.path().join("sessions.db")).expect("a file");
    other
        .execute_batch("BEGIN IMMEDIATE")
        .expect("nobody writes");
    let now = process.clock.now();
    let denial = Revocation {
        what: Revoked::Subject("u_2".into()),
        issuer: Some(OWN_ISSUER.into()),
        cutoff: now,
        expires_at: now.plus(Duration::from_secs(60)),
    };
    let refused = [
        process.service.give_back(returned.session.id, now).await,
        process.service.deny(denial).await,
        process
            .service
            .revoke(logged_out.session.id, Why::Logout)
            .await,
    ];
    assert!(refused.iter().all(Result::is_err), "{refused:?}");
    assert_eq!(process.revocations.len(), 2, "and they count at once");
    other.execute_batch("COMMIT").expect("it is free");
    let written = async {
        let logged = "SELECT count(*) FROM revlog WHERE kind IN ('session', 'subject')";
        let count = || other.query_row(logged, [], |row| row.get::<_, i64>(0));
        // Both sessions, and the subject's name.
        while count().expect("it is read") < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(5), written).await;
    within.expect("they are written without being asked for again");
    let clock = process.clock.clone();
    process.rotated(&logged_out.refresh_token).await;
    drop(process);
    let after = process_at(&sqlite(folder.path()), clock);
    assert!(after.refresh(&returned.refresh_token).await.is_err());
    assert!(after.refresh(&denied.refresh_token).await.is_err());
}

#[test]
fn a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.db");
    let connection = rusqlite::Connection::open(&path).expect("a file");
    connection
        .pragma_update(None, "user_version", 99)
        .expect("it is written");
    drop(connection);
    let surroundings = super::support::surroundings();
    let opened = SqliteStore::open(&path, surroundings);
    assert!(matches!(opened, Err(OpenError::TooNew { found: 99, .. })));
}

#[tokio::test]
async fn an_earlier_version_is_brought_forward_with_its_sessions() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = process(&sqlite(folder.path()));
    let opened = before.login("u_1").await;
    let clock = before.clock.clone();
    drop(before);
    let path = folder.path().join("sessions.db");
    let connection = rusqlite::Connection::open(&path).expect("a file");
    connection
        .execute_batch(
            "DROP INDEX session_expiry; ALTER TABLE session DROP COLUMN expires_hour;
             CREATE INDEX session_expiry ON session(expires_at); ALTER TABLE clock DROP COLUMN rested;
             ALTER TABLE clock DROP COLUMN latest_end;
             PRAGMA user_version = 1",
        )
        .expect("as the first version had it");
    let after = process_at(&sqlite(folder.path()), clock);
    let hours = "SELECT count(*) FROM session WHERE expires_hour = expires_at / 3600000";
    let right = connection.query_row(hours, [], |row| row.get::<_, i64>(0));
    assert_eq!(right, Ok(1));
    after.rotated(&opened.refresh_token).await;
}

#[tokio::test]
async fn what_expired_a_day_ago_leaves_the_file_and_what_lives_on_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = process(&sqlite(folder.path()));
    before.login("u_old").await;
    before.clock.advance(DAY);
    before.login("u_new").await;
    let clock = before.clock.clone();
    drop(before);
    clock.advance(Duration::from_secs(60));
    let _after = process_at(&sqlite(folder.path()), clock);
    let file = rusqlite::Connection::open(folder.path().join("sessions.db")).expect("a file");
    let left = || {
        let mut left = file.prepare("SELECT subject FROM session").expect("SQL");
        let left = left.query_map([], |row| row.get(0)).expect("it is read");
        left.collect::<Result<Vec<String>, _>>().expect("names")
    };
    let swept = async {
        while left().len() > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(5), swept).await;
    within.expect("what expired leaves first");
    assert_eq!(left(), ["u_new"]);
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
