//! Chains of refresh tokens: what rotates, what is answered again, what kills.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::house::{House, Tokens, claims, fails, house};

#[test]
fn a_chain_keeps_its_session_and_its_end_and_older_access_tokens_live_on() {
    let house = house();
    let first = house.login();
    house.wait(5);
    let second = house.rotated(&first.refresh);
    house.wait(5);
    let third = house.rotated(&second.refresh);
    assert_ne!(second.refresh, third.refresh);
    let sids = [&first, &second, &third].map(|one| claims(&one.access)["sid"].clone());
    assert!(sids.iter().all(|sid| *sid == sids[0]));
    assert_eq!(house.api(&first.access), 200, "a refresh ends no request");
    house.wait(45);
    assert_eq!(house.api(&first.access), 200, "until its `exp`");
    house.wait(10);
    assert_eq!(house.api(&first.access), 401);
    assert_eq!(house.api(&third.access), 200);
}

#[test]
fn a_spent_token_kills_once_its_successor_was_used_and_the_grace_is_over() {
    let house = house();
    let (first, other) = (house.login(), house.login());
    let second = house.rotated(&first.refresh);
    assert_eq!(house.api(&second.access), 200);
    let again = house.rotated(&first.refresh);
    assert_eq!(again.refresh, second.refresh, "within the grace");
    house.wait(5);
    fails(&house.refresh(&first.refresh), 400, "invalid_grant");
    fails(&house.refresh(&second.refresh), 400, "invalid_grant");
    assert_eq!(house.api(&second.access), 401);
    assert_eq!(house.api(&other.access), 200, "the other session lives");
    assert_eq!(house.refresh(&other.refresh).status, 200);
    let line = house.gateway.told("event=\"reuse\"");
    let sid = claims(&first.access)["sid"].as_str().unwrap().to_owned();
    assert!(line.contains(&sid) && line.contains("age_ms"), "{line}");
    assert!(
        house
            .gateway
            .metric("tollgate_sessions_total", &["event=\"reuse\""])
            > 0.0
    );
}

#[test]
fn a_reply_that_was_lost_is_given_again_until_somebody_shows_it() {
    let house = house();
    let first = house.login();
    let second = house.rotated(&first.refresh);
    house.wait(25);
    assert_eq!(house.rotated(&first.refresh).refresh, second.refresh);
    let third = house.rotated(&second.refresh);
    house.wait(10);
    assert_eq!(house.api(&third.access), 200);
    // Whoever saw the token tells the store without keeping the request waiting.
    std::thread::sleep(std::time::Duration::from_millis(500));
    fails(&house.refresh(&second.refresh), 400, "invalid_grant");
    assert_eq!(house.api(&third.access), 401);
}

#[test]
fn the_tail_answers_so_often_and_then_asks_for_patience() {
    let house = House::with(|config| config.replace("grace = ", "max_replays = 3\ngrace = "));
    let first = house.login().refresh;
    let second = house.rotated(&first).refresh;
    for _ in 0..10 {
        assert_eq!(house.rotated(&first).refresh, second, "within the grace");
    }
    house.wait(5);
    for _ in 0..3 {
        assert_eq!(house.rotated(&first).refresh, second);
    }
    let later = house.refresh(&first);
    fails(&later, 429, "temporarily_unavailable");
    assert_eq!(later.field("retry-after"), Some("1"));
    assert_eq!(house.refresh(&second).status, 200, "the session lives");
}

#[test]
fn whoever_shows_a_genuine_token_has_it_though_the_request_is_refused() {
    let house = house();
    for path in ["/billing/x", "/auth/sessions"] {
        let first = house.login();
        let second = house.rotated(&first.refresh);
        house.wait(10);
        let shown = house.bearer("GET", path, &second.access);
        assert!([200, 403].contains(&shown.status), "{shown:?}");
        std::thread::sleep(std::time::Duration::from_millis(500));
        fails(&house.refresh(&first.refresh), 400, "invalid_grant");
    }
}

#[test]
fn the_log_says_why_a_token_counted_no_longer_and_the_answer_does_not() {
    let house = house();
    let (spent, expired) = (house.login(), house.login());
    house.rotated(&house.rotated(&spent.refresh).refresh);
    let reuse = house.refresh(&spent.refresh);
    let dead = house.refresh(&spent.refresh);
    house.wait(31);
    let late = house.refresh(&expired.refresh);
    let denied = house.login();
    let body = json!({ "client": "mobile" }).to_string();
    house.gateway.admin_post("/api/revocations", &body);
    let denied = house.refresh(&denied.refresh);
    for answer in [&dead, &late, &denied] {
        assert_eq!(answer.body, reuse.body);
    }
    for (answer, event, why) in [
        (&reuse, "reuse", None),
        (&dead, "dead", Some("reuse")),
        (&late, "dead", Some("expired")),
        (&denied, "dead", Some("the client was revoked")),
    ] {
        fails(answer, 400, "invalid_grant");
        let line = house
            .gateway
            .told(answer.field("x-request-id").expect("an id"));
        assert!(line.contains(&format!("event=\"{event}\"")), "{line}");
        assert!(
            line.contains("session=") && line.contains("behind="),
            "{line}"
        );
        assert!(line.contains("age_ms="), "{line}");
        match why {
            Some(why) => assert!(line.contains(&format!("why=\"{why}\"")), "{line}"),
            None => assert!(!line.contains("why="), "{line}"),
        }
    }
}

#[test]
fn a_thief_elsewhere_who_follows_each_refresh_succeeds_six_times_at_most() {
    let house = House::with(|config| {
        config
            .replace("\"30s\"", "\"1h\"")
            .replace("\"120s\"", "\"2h\"")
    });
    let mut token = house.login().refresh;
    let mut stolen = 0;
    loop {
        let next = house.refresh_from(&token, "the victim");
        let thief = house.refresh_from(&token, "somebody else");
        if thief.status != 200 {
            fails(&thief, 400, "invalid_grant");
            break;
        }
        stolen += 1;
        assert!(stolen <= 6, "the thief goes on");
        token = Tokens::of(&next).refresh;
        house.wait(1);
    }
    assert!(
        house
            .gateway
            .metric("tollgate_sessions_total", &["event=\"foreign_replay\""])
            > 0.0
    );
}

#[test]
fn whatever_fails_consumes_nothing() {
    let house = house();
    let tokens = house.login();
    let token = &tokens.refresh;
    let grant = "grant_type=refresh_token";
    for (body, status, error) in [
        (
            format!("{grant}&client_id=mobile&scope=admin&refresh_token={token}"),
            400,
            "invalid_scope",
        ),
        (
            format!("{grant}&client_id=mobile&client_secret=x&refresh_token={token}"),
            401,
            "invalid_client",
        ),
        (
            format!("{grant}&refresh_token={token}"),
            401,
            "invalid_client",
        ),
        (format!("{grant}&client_id=mobile"), 400, "invalid_request"),
        (
            format!("client_id=mobile&refresh_token={token}"),
            400,
            "invalid_request",
        ),
        (
            format!("grant_type=password&client_id=mobile&refresh_token={token}"),
            400,
            "unsupported_grant_type",
        ),
        (
            format!("{grant}&client_id=other&refresh_token={token}"),
            400,
            "invalid_grant",
        ),
        (
            format!("{grant}&client_id=web&refresh_token={token}"),
            400,
            "invalid_grant",
        ),
        (
            format!("{grant}&client_id=mobile&refresh_token={token}&refresh_token={token}"),
            400,
            "invalid_request",
        ),
    ] {
        fails(&house.form("/oauth/token", &body), status, error);
    }
    let by_cookie = house.web(
        "/auth/refresh",
        Some(&format!("__Secure-tollgate_rt={token}")),
        &[],
    );
    fails(&by_cookie, 400, "invalid_grant");
    house.service.answers("/claims", 500, &json!(null));
    assert_eq!(house.rotated(token).body["scope"], "crm.read");
}

#[test]
fn many_callers_with_one_token_ask_the_identity_service_once() {
    let house = house();
    for round in 1..=10 {
        let token = house.login().refresh;
        let all = || {
            std::thread::scope(|scope| {
                let callers: Vec<_> = (0..20)
                    .map(|_| scope.spawn(|| house.rotated(&token).refresh))
                    .collect();
                callers
                    .into_iter()
                    .map(|caller| caller.join().unwrap())
                    .collect::<Vec<_>>()
            })
        };
        let successors = all();
        assert!(successors.iter().all(|one| *one == successors[0]));
        assert_eq!(house.service.count("/claims"), round);
    }
}

#[test]
fn the_identity_services_no_ends_the_session() {
    let house = house();
    for status in [403, 404, 410] {
        house.service.answers("/claims", 204, &json!(null));
        let tokens = house.login();
        assert_eq!(house.api(&tokens.access), 200);
        house.service.answers("/claims", status, &json!(null));
        fails(&house.refresh(&tokens.refresh), 400, "invalid_grant");
        house.dies(&tokens.access);
        house.service.answers("/claims", 204, &json!(null));
        fails(&house.refresh(&tokens.refresh), 400, "invalid_grant");
    }
}

#[test]
fn a_token_of_long_ago_still_kills_after_many_rotations_and_a_cleaning() {
    let mut house = house();
    let mut tokens = vec![house.login()];
    for _ in 0..500 {
        let last = &tokens.last().unwrap().refresh;
        tokens.push(house.rotated(last));
    }
    // The first thing that a process does with its store is to clean it.
    house.restart();
    let last = tokens.last().unwrap();
    assert_eq!(house.api(&last.access), 200);
    fails(&house.refresh(&tokens[3].refresh), 400, "invalid_grant");
    assert_eq!(house.api(&last.access), 401);
    fails(&house.refresh(&last.refresh), 400, "invalid_grant");
}

#[test]
fn noise_is_refused_without_a_look_at_the_store() {
    let house = house();
    let token = house.rotated(&house.login().refresh).refresh;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token[4..]).unwrap();
    let spell = |bytes: &[u8]| format!("tgr_{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let (early, tag) = (bytes.len() - 24 - 8, bytes.len() - 24);
    let reads = || {
        house
            .gateway
            .metric("tollgate_store_duration_seconds_count", &["\"load\""])
    };
    let before = reads();
    for at in 0..tag {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        fails(&house.refresh(&spell(&altered)), 400, "invalid_grant");
    }
    let mut older = bytes.clone();
    older[early - 1] = 0;
    let long = [
        &bytes[..early - 1],
        &[bytes[early - 1] | 0x80, 0],
        &bytes[early..],
    ]
    .concat();
    for wrong in [
        spell(&older),
        spell(&long),
        format!("{token}%3D"),
        token.to_uppercase(),
    ] {
        fails(&house.refresh(&wrong), 400, "invalid_grant");
    }
    assert!((before - reads()).abs() < 0.5, "nobody asked the store");
    for at in tag..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        fails(&house.refresh(&spell(&altered)), 400, "invalid_grant");
    }
    for size in [20_000, 100_000, 1_000_000] {
        let huge = format!("tgr_{}", "A".repeat(size));
        fails(&house.refresh(&huge), 400, "invalid_grant");
    }
    let beyond = house.refresh(&"A".repeat(11 << 20));
    assert_eq!(
        (beyond.status, &beyond.json()["reason"]),
        (413, &json!("body_too_large"))
    );
    assert_eq!(house.refresh(&token).status, 200, "the token lives");
}

#[test]
fn a_session_ends_without_a_refresh_and_at_its_absolute_end_whatever_is_done() {
    let house = house();
    let idle = house.login();
    for _ in 0..3 {
        house.wait(10);
        assert_eq!(house.api(&idle.access), 200);
    }
    fails(&house.refresh(&idle.refresh), 400, "invalid_grant");
    let mut tokens = house.login();
    for left in [100, 80, 60, 40, 20] {
        house.wait(20);
        tokens = house.rotated(&tokens.refresh);
        let told = tokens.body["refresh_token_expires_in"].as_u64().unwrap();
        assert!(told <= left.min(30), "{told} of {left}");
    }
    house.wait(20);
    fails(&house.refresh(&tokens.refresh), 400, "invalid_grant");
}
