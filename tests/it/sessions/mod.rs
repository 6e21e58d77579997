//! The session side over real sockets, with an identity service of the test.

mod browser;
mod clients;
mod house;
mod line;
mod storms;

use house::{House, text};

fn house() -> House {
    House::start()
}

#[test]
fn a_login_opens_the_route_and_a_logout_closes_it_on_the_next_request() {
    let house = house();
    let tokens = house.login();
    let access = text(&tokens, "access_token");
    assert!(text(&tokens, "refresh_token").starts_with("tgr_"));
    assert_eq!(house.api(access), 200);
    assert_eq!(
        house.api(text(&tokens, "refresh_token")),
        401,
        "a refresh token opens nothing"
    );
    let bearer = format!("Authorization: Bearer {access}");
    assert_eq!(
        house
            .post("/auth/logout", &[&bearer], "application/json", "{}")
            .status,
        200
    );
    assert_eq!(house.api(access), 401);
    assert_eq!(house.refresh(text(&tokens, "refresh_token")).status, 400);
}

#[test]
fn many_callers_with_one_refresh_token_get_one_successor() {
    let house = house();
    let first = house.login();
    let token = text(&first, "refresh_token");
    let successors: Vec<String> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| house.refresh(token)))
            .collect();
        let answers = callers.into_iter().map(|caller| caller.join().unwrap());
        answers
            .map(|answer| {
                assert_eq!(answer.status, 200, "{answer:?}");
                text(&answer.json(), "refresh_token").to_owned()
            })
            .collect()
    });
    assert!(
        successors
            .iter()
            .all(|successor| *successor == successors[0]),
        "{successors:?}"
    );
    assert_ne!(successors[0], token);
}

#[test]
fn a_token_that_is_two_generations_old_ends_the_chain_and_no_other() {
    let house = house();
    let (tokens, other) = (house.login(), house.login());
    let first = text(&tokens, "refresh_token");
    let second = house.refresh(first).json();
    let third = house.refresh(text(&second, "refresh_token")).json();
    let access = text(&third, "access_token");
    assert_eq!(house.api(access), 200);
    assert_eq!(house.refresh(first).json()["error"], "invalid_grant");
    assert_eq!(house.api(access), 401, "its access tokens die with it");
    assert_eq!(house.refresh(text(&third, "refresh_token")).status, 400);
    assert_eq!(house.api(text(&other, "access_token")), 200);
    assert_eq!(house.refresh(text(&other, "refresh_token")).status, 200);
}

#[test]
fn what_was_answered_is_still_true_after_a_kill() {
    let mut house = house();
    let (kept, ended) = (house.login(), house.login());
    let successor = house.refresh(text(&kept, "refresh_token")).json();
    let bearer = format!("Authorization: Bearer {}", text(&ended, "access_token"));
    assert_eq!(
        house
            .post("/auth/logout", &[&bearer], "application/json", "{}")
            .status,
        200
    );
    house.gateway.kill();
    house.gateway.spawn();
    assert_eq!(
        house.api(text(&ended, "access_token")),
        401,
        "a logout is not forgotten"
    );
    let again = house.refresh(text(&kept, "refresh_token"));
    assert_eq!(
        again.status, 200,
        "the predecessor yields the same successor: {again:?}"
    );
    assert_eq!(again.json()["refresh_token"], successor["refresh_token"]);
    assert_eq!(house.refresh(text(&successor, "refresh_token")).status, 200);
}

#[test]
fn a_web_client_keeps_its_token_in_a_cookie_that_a_hostile_origin_cannot_use() {
    let house = house();
    let web = [
        "X-Client-Id: web",
        "Origin: https://app.example.com",
        "X-Tollgate-CSRF: 1",
    ];
    let answer = house.post("/auth/login", &web, "application/json", "{}");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.json().get("refresh_token").is_none());
    let cookie = answer.field("set-cookie").expect("a cookie").to_owned();
    for attribute in [
        "__Secure-tollgate_rt=tgr_",
        "HttpOnly",
        "Secure",
        "SameSite=Strict",
        "Path=/auth",
    ] {
        assert!(cookie.contains(attribute), "{attribute} is not in {cookie}");
    }
    let cookie = format!("Cookie: {}", cookie.split(';').next().unwrap());
    for origin in [
        "https://evil.example",
        "null",
        "https://app.example.com.evil.example",
        "http://app.example.com",
    ] {
        let origin = format!("Origin: {origin}");
        let answer = house.post(
            "/auth/refresh",
            &[&cookie, &origin, "X-Tollgate-CSRF: 1"],
            "application/json",
            "",
        );
        assert_eq!(answer.status, 403, "{origin}");
        assert_eq!(answer.field("set-cookie"), None);
    }
    let answer = house.post(
        "/auth/refresh",
        &[&cookie, "Origin: https://app.example.com"],
        "application/json",
        "",
    );
    assert_eq!(answer.status, 403, "without the CSRF header");
    let answer = house.post(
        "/auth/refresh",
        &[&cookie, web[1], web[2]],
        "application/json",
        "",
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.field("access-control-allow-origin"),
        Some("https://app.example.com")
    );
    assert_eq!(house.api(text(&answer.json(), "access_token")), 200);
    assert_eq!(
        house.gateway.get("/crm/x", &[&cookie]).status,
        401,
        "the API takes no cookie"
    );
}
