//! A known token is refused from the very next request on, however often it passed before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::house::{House, NOW};
use crate::session::{Revocation, Revocations, Revoked};
use crate::token::{EventForm, TokenError};

fn revoke(revocations: &Revocations, what: Revoked) {
    let revocation = Revocation {
        what,
        issuer: None,
        cutoff: NOW,
        expires_at: NOW.plus(Duration::from_secs(3600)),
    };
    revocations.revoke(revocation, NOW);
}

fn bearer(house: &House, number: usize) -> String {
    let claims = json!({
        "sid": format!("s_{number}"), "sub": format!("u_{number}"), "jti": format!("j_{number}"),
        "client_id": format!("c_{number}"), "tenant": format!("t_{number}"),
    });
    format!("Bearer {}", house.token(claims))
}

#[test]
fn what_is_revoked_counts_on_the_next_request_of_a_token_that_passed() {
    let kinds = [
        Revoked::Session("s_1".into()),
        Revoked::Subject("u_1".into()),
        Revoked::Token("j_1".into()),
        Revoked::Client("c_1".into()),
        Revoked::Tenant("t_1".into()),
        Revoked::Entitlements("u_1".into()),
        Revoked::All,
    ];
    for kind in kinds {
        let house = House::new();
        let token = bearer(&house, 1);
        let ask = || house.word("/crm/x", &[("Authorization", &token)]);
        assert_eq!(ask(), "forward");
        for other in 2..5 {
            revoke(
                &house.revocations,
                Revoked::Session(format!("s_{other}").into()),
            );
            assert_eq!([ask(), ask()], ["forward"; 2], "{kind:?}");
        }
        revoke(&house.revocations, kind.clone());
        assert_eq!([ask(), ask()], ["token_revoked"; 2], "{kind:?}");
        revoke(&house.revocations, Revoked::Session("s_5".into()));
        assert_eq!(ask(), "token_revoked", "{kind:?}");
    }
}

#[test]
fn what_another_issuer_says_of_itself_makes_no_token_younger_than_a_cutoff() {
    let house = House::new();
    let token = |changes| format!("Bearer {}", house.token(changes));
    let (now, future) = (NOW.as_secs(), "0f000000-0000-7000-8000-000000000000");
    let tokens = [
        token(json!({ "iat": now - 1 })),
        token(json!({ "iat": now as f64 + 0.9 })),
        token(json!({ "iat": now - 1, "sid": future })),
        token(json!({ "iat": now - 1, "jti": future })),
        house.token_without("iat"),
    ];
    revoke(&house.revocations, Revoked::Subject("u_1".into()));
    for token in &tokens {
        let word = house.word("/crm/x", &[("Authorization", token)]);
        assert_eq!(word, "token_revoked", "{token}");
    }
    let younger = token(json!({ "iat": now + 1 }));
    let word = house.word("/crm/x", &[("Authorization", &younger)]);
    assert_eq!(word, "forward");
}

#[test]
fn past_their_capacity_revocations_allow_for_a_clock_that_runs_ahead() {
    let mut house = House::new();
    house.revocations = Revocations::with_capacity(0);
    revoke(&house.revocations, Revoked::Subject("u_1".into()));
    let earlier = NOW.minus(Duration::from_secs(1));
    for (iat, expected) in [
        (NOW.as_secs() + 5, "token_revoked"),
        (earlier.as_secs(), "token_revoked"),
    ] {
        let token = format!("Bearer {}", house.token(json!({ "iat": iat })));
        let word = house.word("/crm/x", &[("Authorization", &token)]);
        assert_eq!(word, expected, "{iat}");
    }
}

#[test]
fn the_word_of_a_revoked_key_ends_nobodys_session() {
    let house = House::new();
    let event = house.key.sign(
        "logout+jwt",
        &json!({
            "iss": "https://auth.example.com", "aud": "https://api.example.com", "sid": "s_1",
            "iat": NOW.as_secs(), "exp": NOW.as_secs() + 60, "jti": "j_1",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        }),
    );
    let verify = || {
        let form = EventForm::Logout;
        let event = house
            .gate
            .verify_event(&event, form, &house.revocations, NOW);
        event.map(drop).map_err(|failure| failure.error)
    };
    assert_eq!(verify(), Ok(()));
    revoke(&house.revocations, Revoked::Key(house.key.kid().into()));
    assert_eq!(verify(), Err(TokenError::KeyDistrusted));
}

#[test]
fn what_one_set_did_not_know_is_looked_for_in_another() {
    let mut house = House::new();
    let token = bearer(&house, 1);
    revoke(&house.revocations, Revoked::Session("s_2".into()));
    assert_eq!(
        house.word("/crm/x", &[("Authorization", &token)]),
        "forward"
    );
    house.revocations = Revocations::default();
    revoke(&house.revocations, Revoked::Session("s_1".into()));
    assert_eq!(
        house.word("/crm/x", &[("Authorization", &token)]),
        "token_revoked"
    );
}

#[test]
fn a_request_that_races_a_revocation_clears_no_later_one() {
    let house = House::new();
    for number in 0..200 {
        let token = bearer(&house, number);
        let ask = || house.word("/crm/x", &[("Authorization", &token)]);
        revoke(
            &house.revocations,
            Revoked::Token(format!("other_{number}").into()),
        );
        let (asked, done) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    ask();
                    asked.store(true, Ordering::Relaxed);
                }
            });
            while !asked.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            revoke(
                &house.revocations,
                Revoked::Session(format!("s_{number}").into()),
            );
            let word = ask();
            done.store(true, Ordering::Relaxed);
            assert_eq!(word, "token_revoked", "{number}");
        });
    }
}
