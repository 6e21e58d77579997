//! What is revoked is found, and nothing else.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::marks::Marks;
use super::{OWN_ISSUER, Revocation, Revocations, Revoked, RevokedBy};
use crate::session::id::TimedId;
use crate::time::Timestamp;

const SECOND: u64 = 1000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn revocation(what: Revoked, issuer: Option<&str>, cutoff: u64) -> Revocation {
    Revocation {
        what,
        issuer: issuer.map(Into::into),
        cutoff: at(cutoff),
        expires_at: at(cutoff + 600 * SECOND),
    }
}

fn marks(issuer: &str, begun_at: u64) -> Marks<'_> {
    Marks {
        issuer,
        session: Some("s1"),
        subject: Some("u1"),
        client: Some("web"),
        tenant: Some("t1"),
        token: Some("j1"),
        key: Some("k1"),
        begun_at: at(begun_at),
        dated_at: at(begun_at + 60 * SECOND),
        issued_at: at(begun_at + 60 * SECOND),
    }
}

#[test]
fn each_kind_finds_what_it_names_and_nothing_else() {
    let now = 100 * SECOND;
    let rows = [
        (Revoked::Session("s1".into()), Some(RevokedBy::Session)),
        (Revoked::Session("s2".into()), None),
        (Revoked::Session("u1".into()), None),
        (Revoked::Token("j1".into()), Some(RevokedBy::Token)),
        (Revoked::Key("k1".into()), Some(RevokedBy::Key)),
        (Revoked::Subject("u1".into()), Some(RevokedBy::Subject)),
        (Revoked::Subject("U1".into()), None),
        (Revoked::Client("web".into()), Some(RevokedBy::Client)),
        (Revoked::Tenant("t1".into()), Some(RevokedBy::Tenant)),
        (Revoked::Tenant("web".into()), None),
        // Of a token that was issued later.
        (Revoked::Entitlements("u1".into()), None),
        (Revoked::All, Some(RevokedBy::All)),
    ];
    for (what, expected) in rows {
        for issuer in [None, Some("main")] {
            let revocations = Revocations::default();
            revocations.revoke(revocation(what.clone(), issuer, now), at(now));
            let found = revocations.find_marks(&marks("main", 50 * SECOND), at(now));
            assert_eq!(found, expected, "{what:?} of {issuer:?}");
            let is_key = matches!(what, Revoked::Key(_));
            let found = revocations.is_key_revoked("main", "k1", at(now));
            assert_eq!(found, is_key, "{what:?} of {issuer:?}");
        }
    }
}

#[test]
fn a_cutoff_spares_what_began_a_millisecond_later() {
    let revocations = Revocations::default();
    let what = Revoked::Subject("u1".into());
    revocations.revoke(revocation(what, None, 5000), at(5000));
    let by = |begun| revocations.find_marks(&marks("main", begun), at(6000));
    assert_eq!(by(5000), Some(RevokedBy::Subject));
    assert_eq!(by(5001), None);
}

#[test]
fn changed_entitlements_end_what_was_issued_before_and_no_session() {
    let revocations = Revocations::default();
    let what = Revoked::Entitlements("u1".into());
    revocations.revoke(revocation(what, None, 65 * SECOND), at(65 * SECOND));
    let by = |begun| revocations.find_marks(&marks("main", begun), at(66 * SECOND));
    assert_eq!(by(5 * SECOND), Some(RevokedBy::Entitlements));
    assert_eq!(by(5 * SECOND + 1), None, "it was issued later");
    let session = TimedId::parse("00000000-1388-7000-8000-000000000000").unwrap();
    let ended = revocations.find_session(session, "u1", "web", None, at(66 * SECOND));
    assert_eq!(ended, None);
}

#[test]
fn an_entry_of_one_issuer_leaves_the_others_alone() {
    let revocations = Revocations::default();
    let what = Revoked::Session("s1".into());
    revocations.revoke(revocation(what, Some("main"), 5000), at(5000));
    let by = |issuer| revocations.find_marks(&marks(issuer, 0), at(6000));
    assert_eq!(by("main"), Some(RevokedBy::Session));
    assert_eq!(by("partner"), None);
}

#[test]
fn expired_entries_leave_and_nothing_leaves_before() {
    let revocations = Revocations::default();
    for number in 0..1000_u64 {
        let what = Revoked::Token(number.to_string().into());
        revocations.revoke(revocation(what, None, number * SECOND), at(number * SECOND));
    }
    assert_eq!(revocations.len(), 1000);
    revocations.expire(at(1100 * SECOND));
    let alive = |number: u64| {
        let number = number.to_string();
        let mut marks = marks("main", 0);
        marks.token = Some(&number);
        revocations.find_marks(&marks, at(1100 * SECOND)).is_some()
    };
    assert!(!alive(500));
    assert!((501..1000).all(alive));
    revocations.expire(at(9000 * SECOND));
    assert!(revocations.is_empty());
    assert!(revocations.newest(at(0)).is_empty());
}

#[test]
fn what_comes_at_once_counts_as_what_comes_one_by_one() {
    let named = |number: u64| Revoked::Token((number % 900).to_string().into());
    let all: Vec<Revocation> = (0..1000)
        .map(|number| revocation(named(number), Some("main"), number * SECOND))
        .collect();
    for capacity in [5000, 100] {
        let [apart, at_once] = [(); 2].map(|()| Revocations::with_capacity(capacity));
        let now = at(1000 * SECOND);
        for one in all.clone() {
            apart.revoke(one, now);
        }
        at_once.revoke_all(all.clone(), now);
        assert_eq!(at_once.len(), apart.len());
        assert_eq!(at_once.newest(now), apart.newest(now));
        let counts = |revocations: &Revocations, number: u64| {
            let token = number.to_string();
            let marks = Marks {
                token: Some(&token),
                issued_at: now,
                ..marks("main", 0)
            };
            revocations.find_marks(&marks, now).is_some()
        };
        // The others have expired.
        for number in (0..100).chain(401..900) {
            let counted = [&apart, &at_once].map(|all| counts(all, number));
            assert_eq!(counted, [true; 2], "{number} of {capacity}");
        }
        let until_last = at((999 + 600) * SECOND);
        for revocations in [&apart, &at_once] {
            revocations.expire(until_last.minus(Duration::from_millis(1)));
            assert!(!revocations.is_empty());
            revocations.expire(until_last.plus(Duration::from_secs(10)));
            assert!(revocations.is_empty());
        }
    }
}

#[test]
fn where_nothing_is_revoked_no_token_is_looked_for_again() {
    let revocations = Revocations::default();
    let state = || revocations.state.load(Ordering::Acquire);
    let before = state();
    revocations.revoke_all(Vec::new(), at(5000));
    assert_eq!(state(), before);
    revocations.revoke(revocation(Revoked::All, None, 5000), at(5000));
    assert_ne!(state(), before);
}

#[test]
fn past_its_capacity_it_refuses_too_much_and_never_too_little() {
    let revocations = Revocations::with_capacity(100);
    let names: Vec<String> = (0..3000).map(|number| format!("dead-{number}")).collect();
    for name in &names {
        let what = Revoked::Session(name.as_str().into());
        revocations.revoke(revocation(what, Some(OWN_ISSUER), 5000), at(5000));
    }
    assert_eq!(revocations.len(), 100);
    let find = |name: &str, issued| {
        let mut marks = marks(OWN_ISSUER, 0);
        marks.session = Some(name);
        marks.issued_at = at(issued);
        revocations.find_marks(&marks, at(6000))
    };
    assert!(names.iter().all(|name| find(name, 5000).is_some()));
    let innocent = |issued| (0..1000).all(|n| find(&format!("innocent-{n}"), issued).is_none());
    assert!(innocent(5001), "a new token passes");
    revocations.expire(at(5000 + 700 * SECOND));
    assert!(revocations.is_empty());
}

#[test]
fn past_its_capacity_an_innocent_session_works_after_one_refresh() {
    let revocations = Revocations::with_capacity(0);
    let mut bytes = [0x70; 16];
    bytes[8] = 0x80;
    let session = TimedId::from_bytes(bytes).expect("a name");
    let name = session.to_string();
    // What has the same name shares the slot in any case.
    for what in [
        Revoked::Session(name.as_str().into()),
        Revoked::Token("j1".into()),
    ] {
        revocations.revoke(revocation(what, None, 5000), at(5000));
    }
    let by = |issuer, session, issued| {
        let marks = Marks {
            session: Some(session),
            issued_at: at(issued),
            ..marks(issuer, 0)
        };
        revocations.find_marks(&marks, at(6000))
    };
    for issuer in [OWN_ISSUER, "main"] {
        assert_eq!(
            by(issuer, "other", 5000),
            Some(RevokedBy::Overflow),
            "{issuer}"
        );
        assert_eq!(
            by(issuer, "other", 5001),
            None,
            "{issuer}: a new token passes"
        );
    }
    assert_eq!(
        by(OWN_ISSUER, &name, 5001),
        None,
        "it was not its own token"
    );
    assert_eq!(
        by("main", &name, 5001),
        Some(RevokedBy::Overflow),
        "others go on issuing"
    );
    let rotates = || revocations.find_session(session, "u1", "web", None, at(6000));
    assert_eq!(rotates(), None, "the store knows whose session it is");
    let moment = session.given_at().as_millis();
    revocations.revoke(revocation(Revoked::All, None, moment), at(6000));
    assert_eq!(rotates(), Some(RevokedBy::All));
}

#[test]
fn past_its_capacity_what_began_before_a_cutoff_is_refused_until_it_was_named() {
    let revocations = Revocations::with_capacity(0);
    let what = Revoked::Subject("u1".into());
    revocations.revoke(revocation(what, None, 5000), at(9000));
    assert_eq!(revocations.len(), 0);
    let by = |issued| {
        let marks = Marks {
            issued_at: at(issued),
            ..marks("main", 0)
        };
        revocations.find_marks(&marks, at(9500))
    };
    assert_eq!(by(9000), Some(RevokedBy::Overflow));
    assert_eq!(by(9001), None);
}

#[test]
fn past_its_capacity_each_side_keeps_to_itself_and_clients_are_told_apart() {
    let named = |issuer, what: Revoked| {
        let revocations = Revocations::with_capacity(0);
        revocations.revoke(revocation(what, Some(issuer), 5000), at(5000));
        revocations
    };
    let by = |revocations: &Revocations, issuer| {
        let marks = Marks {
            issued_at: at(5000),
            ..marks(issuer, 9000)
        };
        revocations.find_marks(&marks, at(6000))
    };
    let session = || Revoked::Session("other".into());
    assert_eq!(by(&named("main", session()), OWN_ISSUER), None);
    assert_eq!(by(&named(OWN_ISSUER, session()), "main"), None);
    let client = named(OWN_ISSUER, Revoked::Client("web".into()));
    assert_eq!((client.len(), by(&client, OWN_ISSUER)), (1, None));
}

#[test]
fn what_has_expired_is_listed_no_more() {
    let revocations = Revocations::default();
    revocations.revoke(revocation(Revoked::All, None, 5000), at(5000));
    let until = 5000 + 600 * SECOND;
    assert_eq!(revocations.newest(at(until - 1)).len(), 1);
    assert_eq!(revocations.newest(at(until)).len(), 0);
}

#[test]
fn naming_it_again_keeps_the_later_cutoff_and_one_entry() {
    let revocations = Revocations::default();
    for cutoff in [5000, 9000, 7000] {
        let what = Revoked::Subject("u1".into());
        revocations.revoke(revocation(what, None, cutoff), at(cutoff));
    }
    assert_eq!(revocations.len(), 1);
    let by = revocations.find_marks(&marks("main", 9000), at(9000));
    assert_eq!(by, Some(RevokedBy::Subject));
    assert_eq!(revocations.newest(at(9000)).len(), 3);
}

#[test]
fn what_is_told_twice_is_listed_once_though_something_came_between() {
    let revocations = Revocations::default();
    for issuer in [None, Some(OWN_ISSUER), None] {
        let what = Revoked::Session("s1".into());
        revocations.revoke(revocation(what, issuer, 5000), at(5000));
    }
    assert_eq!(revocations.newest(at(5000)).len(), 2);
}
