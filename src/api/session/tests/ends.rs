//! Where a session is listed, and how it ends: by a logout, by its owner's hand, in its time.

use std::time::Duration;

use super::flows::claims;
use super::house::{House, ORIGIN};
use crate::session::{Event, OWN_ISSUER, Revocation, Revoked};

#[tokio::test]
async fn logout_everywhere_spares_a_login_of_the_same_moment() {
    let house = House::build().await;
    let before = house.login().await;
    let all = house
        .with_bearer("POST", "/auth/logout-all", &before.text("access_token"))
        .await;
    assert_eq!(all.status(), 200);
    let after = house.login().await;
    assert!(!house.counts(&before.text("access_token")).await);
    assert!(house.counts(&after.text("access_token")).await);
}

#[tokio::test]
async fn a_cookie_that_a_sibling_tossed_keeps_nobody_from_a_logout_by_bearer() {
    let house = House::build().await;
    for path in ["/auth/logout", "/auth/logout-all"] {
        let login = house.web_login().await;
        let (own, access) = (login.cookie(), login.text("access_token"));
        let name = own.split_once('=').unwrap().0;
        let torn = format!("{own}; {name}=tgr_tossed");
        let bearer = format!("Bearer {access}");
        let page = [("origin", ORIGIN), ("x-tollgate-csrf", "1")];
        let page = [&page[..], &[("cookie", &*torn)]].concat();
        if path == "/auth/logout" {
            let alone = house.send("POST", path, &page, "").await;
            alone.fails(400, "invalid_request");
            assert!(house.counts(&access).await, "neither of the two counts");
        }
        let fields = [&page[..], &[("authorization", &*bearer)]].concat();
        let logout = house.send("POST", path, &fields, "").await;
        assert_eq!(logout.status(), 200);
        assert!(logout.field("set-cookie").unwrap().contains("Max-Age=0"));
        assert!(!house.counts(&access).await);
    }
}

#[tokio::test]
async fn a_device_can_be_removed_by_its_owner_alone() {
    let house = House::build().await;
    let (mine, other) = (house.login().await, house.login().await);
    house.service.answers(200, r#"{"subject":"u_2"}"#);
    let stranger = house.login().await;
    let list = house
        .with_bearer("GET", "/auth/sessions", &mine.text("access_token"))
        .await;
    assert_eq!(list.json()["sessions"].as_array().map(Vec::len), Some(2));
    let head = house
        .with_bearer("HEAD", "/auth/sessions", &mine.text("access_token"))
        .await;
    assert_eq!(head.status(), 200);
    let sid = claims(&other.text("access_token"))["sid"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/auth/sessions/{sid}");
    let theirs = house
        .with_bearer("DELETE", &path, &stranger.text("access_token"))
        .await;
    assert_eq!(theirs.status(), 404);
    for (method, path, allowed) in [
        ("DELETE", "/auth/sessions", "GET, HEAD"),
        ("GET", &*path, "DELETE"),
    ] {
        let refused = house.send(method, path, &[], "").await;
        refused.fails(405, "invalid_request");
        assert_eq!(refused.field("allow"), Some(allowed));
    }
    let gone = house
        .with_bearer("DELETE", &path, &mine.text("access_token"))
        .await;
    assert_eq!(gone.status(), 204);
    assert!(!house.counts(&other.text("access_token")).await);
    assert!(house.counts(&mine.text("access_token")).await);
}

#[tokio::test]
async fn the_cookie_of_a_removed_device_goes_with_it_and_no_other() {
    let house = House::build().await;
    let (mine, other) = (house.web_login().await, house.web_login().await);
    let bearer = format!("Bearer {}", mine.text("access_token"));
    let (cookie, page) = (mine.cookie(), ("origin", ORIGIN));
    let remove = async |of: &super::house::Answer, page: (&str, &str)| {
        let sid = claims(&of.text("access_token"))["sid"].clone();
        let path = format!("/auth/sessions/{}", sid.as_str().unwrap());
        let fields = [
            ("authorization", &*bearer),
            ("cookie", &*cookie),
            ("x-tollgate-csrf", "1"),
            page,
        ];
        let gone = house.send("DELETE", &path, &fields, "").await;
        (gone.status(), gone.field("set-cookie").map(str::to_owned))
    };
    assert_eq!(remove(&other, page).await, (204, None));
    let foreign = ("origin", "https://evil.example.com");
    assert_eq!(remove(&other, foreign).await, (204, None));
    let (status, set) = remove(&mine, page).await;
    assert_eq!(status, 204);
    assert!(set.unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn a_device_is_called_what_its_owner_calls_it() {
    let house = House::build().await;
    for (label, listed) in [("Zoë’s 電話", "Zoë’s 電話"), ("a\tb", "ab")] {
        house.wait(1);
        let fields = [
            ("content-type", "application/json"),
            ("x-client-id", "mobile"),
            ("x-device-label", label),
        ];
        let login = house.send("POST", "/auth/login", &fields, "{}").await;
        let told = format!("x-tollgate-device-label: {listed}\r\n");
        let (head, _) = house.service.asked().pop().unwrap();
        assert!(head.contains(&told), "{head}");
        let access = login.text("access_token");
        let list = house.with_bearer("GET", "/auth/sessions", &access).await;
        let sessions = list.json()["sessions"].as_array().cloned();
        let newest = sessions.and_then(|mut sessions| sessions.pop());
        assert_eq!(newest.unwrap()["label"], listed);
    }
}

#[tokio::test]
async fn idle_and_absolute_ends_hold() {
    let house = House::build().await;
    let mut token = house.login().await.text("refresh_token");
    house.service.answers(204, "");
    for _ in 0..5 {
        house.wait(20);
        let answer = house.refresh(&token).await;
        assert_eq!(answer.status(), 200);
        token = answer.text("refresh_token");
    }
    house.wait(20);
    house.refresh(&token).await.fails(400, "invalid_grant");
}

#[tokio::test]
async fn the_event_of_a_dead_session_says_what_it_died_of() {
    let house = House::build().await;
    let dies_of = async |tokens: &super::house::Answer, why: &'static str| {
        let answer = house.refresh(&tokens.text("refresh_token")).await;
        answer.fails(400, "invalid_grant");
        assert_eq!(house.events.last(), Some((Event::Dead, Some(why))));
    };
    let out = house.login().await;
    let access = out.text("access_token");
    house.with_bearer("POST", "/auth/logout-all", &access).await;
    dies_of(&out, "logout_all").await;
    let idle = house.login().await;
    house.wait(31);
    dies_of(&idle, "expired").await;
    let revoked = house.login().await;
    house.refresh(&revoked.text("refresh_token")).await;
    assert_eq!(house.events.last(), Some((Event::Refresh, None)));
    let now = house.now();
    let revocation = Revocation {
        what: Revoked::Client("mobile".into()),
        issuer: Some(OWN_ISSUER.into()),
        cutoff: now,
        expires_at: now.plus(Duration::from_secs(60)),
    };
    house.revocations.revoke(revocation, now);
    dies_of(&revoked, "the client was revoked").await;
}

#[tokio::test]
async fn no_access_token_outlives_the_end_of_its_session() {
    let house = House::build().await;
    let said = r#"{"subject":"u_1","products":["crm"],"absolute_ttl":45}"#;
    house.service.answers(200, said);
    let mut tokens = house.login().await;
    house.service.answers(204, "");
    for left in [45, 25, 5] {
        let exp = claims(&tokens.text("access_token"))["exp"].as_u64();
        assert_eq!(tokens.json()["expires_in"], left);
        assert_eq!(exp, Some(house.now().as_secs() + left));
        if left > 5 {
            house.wait(20);
            tokens = house.refresh(&tokens.text("refresh_token")).await;
        }
    }
    house.wait(4);
    assert!(house.counts(&tokens.text("access_token")).await);
    // The gate allows for some leeway, as it does for any token.
    house.wait(6);
    assert!(!house.counts(&tokens.text("access_token")).await);
}
