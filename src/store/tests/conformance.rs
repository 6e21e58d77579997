//! One suite for all stores.

use std::sync::Arc;
use std::time::Duration;

use super::support::{Fresh, Process, process, sqlite};
use crate::config::model::SessionStoreKind;
use crate::session::{
    RefreshError, Revocation, Revoked, RevokedBy, Rotation, State, TimedId, Use, Why,
};
use crate::time::Clock;

/// Runs one test on every store.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&super::process(&super::SessionStoreKind::Memory)).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().expect("a folder");
                super::$name(&super::process(&super::sqlite(folder.path()))).await;
            })*
        }
    };
}

on_every_store!(
    a_chain_rotates_and_reuse_kills_it_alone,
    a_session_reads_back_as_it_was_written,
    fifty_at_once_get_one_successor,
    logout_all_spares_a_login_of_the_same_millisecond,
    however_much_is_revoked_the_stores_time_is_the_clocks,
    what_is_revoked_while_the_clock_has_jumped_does_not_move_the_stores_time,
    an_operators_word_ends_what_began_at_the_stores_later_time,
    what_is_revoked_at_large_stays_so_while_a_session_of_before_may_live,
    an_operator_may_spell_a_session_in_capitals,
    an_operators_word_of_another_issuer_ends_no_session_of_ours,
    an_operators_word_of_a_clock_that_ran_ahead_keeps_nobody_out_until_then,
    a_refresh_tells_the_device_list_where_it_came_from,
    a_logout_ends_also_what_the_store_has_forgotten,
    only_so_many_sessions_of_one_subject_live,
    who_was_revoked_with_a_client_takes_nobodys_place,
    confirmation_closes_the_tail,
    something_is_used_once,
    time_never_runs_backwards,
);

async fn a_chain_rotates_and_reuse_kills_it_alone(process: &Process) {
    let (first, other) = (process.login("u_1").await, process.login("u_1").await);
    let second = process.rotated(&first.refresh_token).await;
    let third = process.rotated(&second.refresh_token).await;
    assert_eq!(third.session.generation, 2);
    let reuse = process.refresh(&first.refresh_token).await;
    let killed = RefreshError::Refused(Rotation::Killed(Why::Reuse));
    assert_eq!(reuse.expect_err("it was spent"), killed);
    let dead = process.refresh(&third.refresh_token).await;
    let revoked = RefreshError::Refused(Rotation::Revoked);
    assert_eq!(dead.expect_err("the chain is dead"), revoked);
    assert_eq!(process.revocations.len(), 1);
    let kept = process.service.load(first.session.id).await;
    let kept = kept.expect("the store is there").expect("a session");
    let why = matches!(
        kept.state,
        State::Revoked {
            why: Why::Reuse,
            ..
        }
    );
    assert!(why, "it stays dead when its revocation is forgotten");
    process.rotated(&other.refresh_token).await;
}

async fn a_session_reads_back_as_it_was_written(process: &Process) {
    let opened = process.login("u_1").await;
    let refreshed = process.rotated(&opened.refresh_token).await;
    let loaded = process.service.load(opened.session.id).await;
    assert_eq!(loaded.expect("the store is there"), Some(refreshed.session));
}

async fn fifty_at_once_get_one_successor(process: &Process) {
    let mut token = process.login("u_1").await.refresh_token;
    for _ in 0..10 {
        let token_now = Arc::new(token.clone());
        let all = (0..50).map(|_| process.refresh(&token_now));
        let answers = futures_util::future::join_all(all).await;
        let mut successors: Vec<String> = answers
            .into_iter()
            .map(|answer| answer.expect("all are answered").refresh_token)
            .collect();
        successors.dedup();
        assert_eq!(successors.len(), 1);
        token = successors.remove(0);
    }
}

async fn logout_all_spares_a_login_of_the_same_millisecond(process: &Process) {
    let before = process.login("u_1").await;
    let ended = process.service.revoke_subject("u_1", Why::LogoutAll).await;
    ended.expect("the store is there");
    let after = process.login("u_1").await;
    let found = |session: &crate::session::Session| {
        process
            .revocations
            .find_session(session.id, "u_1", "mobile", None, session.rotated_at)
    };
    assert!(found(&before.session).is_some());
    assert!(found(&after.session).is_none());
    assert!(process.refresh(&before.refresh_token).await.is_err());
    process.rotated(&after.refresh_token).await;
}

async fn however_much_is_revoked_the_stores_time_is_the_clocks(process: &Process) {
    let now = process.clock.now();
    for number in 0..50 {
        let name = |kind: &str| format!("{kind}-{number}").into();
        for what in [
            Revoked::Token(name("t")),
            Revoked::Session(name("s")),
            Revoked::Subject(name("u")),
        ] {
            let said = Revocation {
                what,
                issuer: None,
                cutoff: now,
                expires_at: now.plus(Duration::from_secs(600)),
            };
            let denied = process.service.deny(said).await;
            denied.expect("the store is there");
        }
    }
    let opened = process.login("u_1").await.session;
    // The millisecond of the cutoffs is over.
    assert_eq!(opened.rotated_at, now.plus(Duration::from_millis(1)));
}

/// It counts in memory at once; the store waits for the time to be put right.
async fn what_is_revoked_while_the_clock_has_jumped_does_not_move_the_stores_time(
    process: &Process,
) {
    let now = process.clock.now();
    let revoke = |at| {
        let said = Revocation {
            what: Revoked::Subject("u_2".into()),
            issuer: None,
            cutoff: at,
            expires_at: at.plus(Duration::from_secs(600)),
        };
        process.revocations.revoke(said, at);
    };
    revoke(now.plus(Duration::from_secs(20 * 86_400)));
    let opened = process.login("u_1").await;
    assert_eq!(opened.session.rotated_at, now);
    assert_eq!(process.service.beginning(now), now);
    process.rotated(&opened.refresh_token).await;
    revoke(now);
    let opened = process.login("u_1").await.session;
    assert_eq!(opened.rotated_at, now.plus(Duration::from_millis(1)));
}

/// The store's time may lie ahead of the one that the operator speaks at.
async fn an_operators_word_ends_what_began_at_the_stores_later_time(process: &Process) {
    let words = [
        Revoked::Subject("u_1".into()),
        Revoked::Client("mobile".into()),
        Revoked::Tenant("acme".into()),
        Revoked::All,
    ];
    for what in words {
        process.clock.advance(Duration::from_secs(20));
        let opened = process.login("u_1").await;
        process.clock.set(super::support::START);
        let said = Revocation {
            what: what.clone(),
            issuer: None,
            cutoff: process.clock.now(),
            expires_at: process.clock.now().plus(Duration::from_secs(600)),
        };
        process
            .service
            .deny(said)
            .await
            .expect("the store is there");
        let dead = process.refresh(&opened.refresh_token).await;
        let revoked = RefreshError::Refused(Rotation::Revoked);
        assert_eq!(dead.expect_err("it was revoked"), revoked, "{what:?}");
        let session = opened.session.id;
        let now = process.clock.now();
        let by = process
            .revocations
            .find_session(session, "u_1", "mobile", Some("acme"), now);
        assert!(by.is_some(), "{what:?}");
        process.clock.advance(Duration::from_secs(60));
        process
            .rotated(&process.login("u_1").await.refresh_token)
            .await;
    }
}

/// The operator's configuration may have a shorter longest life by now.
async fn what_is_revoked_at_large_stays_so_while_a_session_of_before_may_live(process: &Process) {
    for what in [
        Revoked::Client("mobile".into()),
        Revoked::Tenant("acme".into()),
        Revoked::All,
    ] {
        let (near, far) = (process.login("u_1").await, process.login("u_2").await);
        let now = process.clock.now();
        let said = Revocation {
            what: what.clone(),
            issuer: None,
            cutoff: now,
            expires_at: now.plus(Duration::from_secs(1)),
        };
        let denied = process.service.deny(said).await;
        denied.expect("the store is there");
        process.clock.advance(Duration::from_secs(20));
        let dead = process.refresh(&near.refresh_token).await;
        assert!(dead.is_err(), "{what:?}");
        process.clock.advance(Duration::from_secs(99));
        let (session, now) = (far.session.id, process.clock.now());
        let by = process
            .revocations
            .find_session(session, "u_2", "mobile", Some("acme"), now);
        assert!(by.is_some(), "{what:?}");
        process.clock.advance(Duration::from_secs(600));
    }
}

async fn an_operator_may_spell_a_session_in_capitals(process: &Process) {
    let opened = process.login("u_1").await;
    let (id, now) = (opened.session.id, process.clock.now());
    let said = Revocation {
        what: Revoked::Session(id.to_string().to_ascii_uppercase().into()),
        issuer: None,
        cutoff: now,
        expires_at: now.plus(Duration::from_secs(600)),
    };
    let denied = process.service.deny(said.clone()).await;
    denied.expect("the store is there");
    let by = process
        .revocations
        .find_session(id, "u_1", "mobile", None, now);
    assert_eq!(by, Some(RevokedBy::Session));
    assert!(process.refresh(&opened.refresh_token).await.is_err());
    let forgotten = TimedId::new(now, &Fresh);
    let what = Revoked::Session(forgotten.to_string().to_ascii_uppercase().into());
    let denied = process.service.deny(Revocation { what, ..said }).await;
    denied.expect("the store is there");
    let by = process
        .revocations
        .find_session(forgotten, "u_1", "mobile", None, now);
    assert_eq!(by, Some(RevokedBy::Session));
}

async fn an_operators_word_of_another_issuer_ends_no_session_of_ours(process: &Process) {
    let opened = process.login("u_1").await;
    let now = process.clock.now();
    for what in [
        Revoked::Subject("u_1".into()),
        Revoked::Client("mobile".into()),
        Revoked::Tenant("acme".into()),
        Revoked::Session(opened.session.id.to_string().into()),
        Revoked::All,
    ] {
        let said = Revocation {
            what,
            issuer: Some("main".into()),
            cutoff: now,
            expires_at: now.plus(Duration::from_secs(600)),
        };
        let denied = process.service.deny(said).await;
        denied.expect("the store is there");
    }
    process.rotated(&opened.refresh_token).await;
}

async fn an_operators_word_of_a_clock_that_ran_ahead_keeps_nobody_out_until_then(
    process: &Process,
) {
    let ahead = process.clock.now().plus(Duration::from_secs(20 * 86_400));
    let said = Revocation {
        what: Revoked::Subject("u_1".into()),
        issuer: None,
        cutoff: ahead,
        expires_at: ahead.plus(Duration::from_secs(600)),
    };
    let denied = process.service.deny(said).await;
    denied.expect("the store is there");
    process.clock.advance(Duration::from_secs(1));
    let opened = process.login("u_1").await;
    process.rotated(&opened.refresh_token).await;
}

async fn a_refresh_tells_the_device_list_where_it_came_from(process: &Process) {
    let opened = process.login("u_1").await;
    assert_eq!(&*opened.session.device.address, "");
    let refreshed = process.rotated(&opened.refresh_token).await;
    assert_eq!(&*refreshed.session.device.address, "192.0.2.1");
}

/// A store that was set back to an earlier copy does not know the newest sessions; their access tokens count.
async fn a_logout_ends_also_what_the_store_has_forgotten(process: &Process) {
    let now = process.clock.now();
    let forgotten = TimedId::new(now, &Fresh);
    let logout = process.service.revoke(forgotten, Why::Logout).await;
    logout.expect("the store is there");
    let revocations = &process.revocations;
    let by = revocations.find_session(forgotten, "u_1", "mobile", None, now);
    assert_eq!(by, Some(RevokedBy::Session));
}

async fn only_so_many_sessions_of_one_subject_live(process: &Process) {
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(process.login("u_1").await);
        process.clock.advance(Duration::from_millis(1));
    }
    let live = process.service.live_of("u_1", process.clock.now());
    let live = live.await.expect("a list");
    let newest: Vec<_> = sessions[2..].iter().map(|one| one.session.id).collect();
    assert_eq!(live.iter().map(|one| one.id).collect::<Vec<_>>(), newest);
    assert!(process.refresh(&sessions[0].refresh_token).await.is_err());
}

async fn who_was_revoked_with_a_client_takes_nobodys_place(process: &Process) {
    let mut living = vec![process.login_by("web", "u_1").await.session.id];
    for _ in 0..2 {
        process.clock.advance(Duration::from_millis(1));
        process.login("u_1").await;
    }
    let now = process.clock.now();
    let said = Revocation {
        what: Revoked::Client("mobile".into()),
        issuer: None,
        cutoff: now,
        expires_at: now.plus(Duration::from_secs(600)),
    };
    let denied = process.service.deny(said).await;
    denied.expect("the store is there");
    for _ in 0..2 {
        process.clock.advance(Duration::from_millis(1));
        living.push(process.login("u_1").await.session.id);
    }
    let live = process.service.live_of("u_1", process.clock.now()).await;
    let live = live.expect("a list");
    assert_eq!(live.iter().map(|one| one.id).collect::<Vec<_>>(), living);
}

async fn confirmation_closes_the_tail(process: &Process) {
    let first = process.login("u_1").await;
    let second = process.rotated(&first.refresh_token).await;
    process.clock.advance(Duration::from_secs(10));
    let replay = process.refresh(&first.refresh_token).await;
    let replay = replay.expect("nobody has shown the successor");
    assert_eq!(replay.refresh_token, second.refresh_token);
    let confirmed = process.service.confirm(second.session.id, 1).await;
    confirmed.expect("the store is there");
    let reuse = process.refresh(&first.refresh_token).await;
    let killed = RefreshError::Refused(Rotation::Killed(Why::Reuse));
    assert_eq!(reuse.expect_err("somebody has"), killed);
}

async fn something_is_used_once(process: &Process) {
    let until = process.clock.now().plus(Duration::from_secs(60));
    let use_it = |digest| process.service.use_once([digest; 32], until);
    assert_eq!(use_it(1).await, Ok(Use::First));
    assert_eq!(use_it(1).await, Ok(Use::Again));
    assert_eq!(use_it(2).await, Ok(Use::First));
}

async fn time_never_runs_backwards(process: &Process) {
    let first = process.login("u_1").await;
    process.clock.advance(Duration::from_secs(40));
    process.login("u_2").await;
    process.clock.set(super::support::START);
    let late = process.refresh(&first.refresh_token).await;
    let expired = RefreshError::Refused(Rotation::Expired);
    assert_eq!(late.expect_err("its time was over"), expired);
}
