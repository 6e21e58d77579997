//! The cookie: who may use it, what it looks like, and when it goes.

use serde_json::json;

use super::house::{House, ORIGIN, cookie, fails, house};

/// The attributes of the cookie that an answer sets, its name first, without value and age.
fn attributes(set: &str) -> Vec<String> {
    let name = set.split('=').next().unwrap().to_owned();
    let rest = set
        .split("; ")
        .skip(1)
        .filter(|one| !one.starts_with("Max-Age"));
    std::iter::once(name)
        .chain(rest.map(str::to_owned))
        .collect()
}

fn with_cookie(keys: &str) -> House {
    let table = format!("[sessions.cookie]\n{keys}\n");
    House::with(|config| config.replace("[sessions.cookie]\n", &table))
}

#[test]
fn the_cookie_is_what_browsers_guard_best_and_goes_as_it_came() {
    for (keys, expected) in [
        (
            "",
            ["__Secure-tollgate_rt", "Path=/auth", "SameSite=Strict"],
        ),
        (
            "path = \"/\"",
            ["__Host-Http-tollgate_rt", "Path=/", "SameSite=Strict"],
        ),
        (
            "same_site = \"lax\"",
            ["__Secure-tollgate_rt", "Path=/auth", "SameSite=Lax"],
        ),
        (
            "same_site = \"none\"",
            ["__Secure-tollgate_rt", "Path=/auth", "SameSite=None"],
        ),
    ] {
        let house = with_cookie(keys);
        let login = house.web("/auth/login", None, &[]);
        let set = login.field("set-cookie").unwrap();
        assert!(set.contains("Max-Age=30"), "{set}");
        let given = attributes(set);
        assert!(
            given[0] == expected[0] || given[0] == "__Host-tollgate_rt",
            "{given:?}"
        );
        for part in ["Secure", "HttpOnly", expected[1], expected[2]] {
            assert!(
                given.iter().any(|one| one == part),
                "{part} is not in {given:?}"
            );
        }
        assert_eq!(
            given.contains(&"Partitioned".to_owned()),
            keys.contains("none")
        );
        assert!(!set.contains("Domain"));
        let refreshed = house.web("/auth/refresh", Some(&cookie(&login)), &[]);
        assert_eq!(attributes(refreshed.field("set-cookie").unwrap()), given);
        let logout = house.web("/auth/logout", Some(&cookie(&refreshed)), &[]);
        let gone = logout.field("set-cookie").unwrap();
        assert!(gone.contains("Max-Age=0"), "{gone}");
        assert_eq!(
            attributes(gone),
            given,
            "a jar that keeps both would keep the cookie"
        );
        let dead = house.web("/auth/refresh", Some(&cookie(&refreshed)), &[]);
        fails(&dead, 400, "invalid_grant");
        assert_eq!(attributes(dead.field("set-cookie").unwrap()), given);
    }
}

#[test]
fn only_a_page_of_a_listed_origin_that_means_it_uses_the_cookie() {
    let house = house();
    let jar = cookie(&house.web("/auth/login", None, &[]));
    let jar = format!("Cookie: {jar}");
    let (csrf, own) = ("X-Tollgate-CSRF: 1", format!("Origin: {ORIGIN}"));
    let rows: [&[&str]; 11] = [
        &[csrf],
        &[&own],
        &[csrf, "Origin: null"],
        &[csrf, "Origin: https://evil.example"],
        &[csrf, "Origin: https://sibling.example.com"],
        &[csrf, "Origin: https://app.example.com.evil.example"],
        &[csrf, "Origin: https://evilapp.example.com"],
        &[csrf, "Origin: http://app.example.com"],
        &[csrf, "Origin: https://app.example.com:8443"],
        &[csrf, &own, "Sec-Fetch-Site: cross-site"],
        &[csrf, "Sec-Fetch-Site: same-site"],
    ];
    for row in rows {
        for path in ["/auth/refresh", "/auth/logout"] {
            let fields = [&[&*jar, "Content-Type: application/json"], row].concat();
            let answer = house.send("POST", path, &fields, "{}");
            fails(&answer, 403, "access_denied");
            assert_eq!(answer.field("set-cookie"), None, "{row:?}");
            assert_eq!(
                answer.field("access-control-allow-credentials").is_some(),
                row.contains(&&*own)
            );
        }
        let fields = [&["X-Client-Id: web", "Content-Type: application/json"], row].concat();
        fails(
            &house.send("POST", "/auth/login", &fields, "{}"),
            403,
            "access_denied",
        );
    }
    assert_eq!(
        house
            .send("GET", "/auth/refresh", &[&jar, csrf, &own], "")
            .status,
        405
    );
    let plain = [&*jar, csrf, &own, "Content-Type: text/plain"];
    assert_eq!(
        house.send("POST", "/auth/refresh", &plain, "{}").status,
        415
    );
    let jar = jar.strip_prefix("Cookie: ").unwrap();
    let two = format!("{jar}; {jar}");
    fails(
        &house.web("/auth/refresh", Some(&two), &[]),
        400,
        "invalid_request",
    );
    let answer = house.web("/auth/refresh", Some(jar), &["Sec-Fetch-Site: same-site"]);
    assert_eq!(answer.status, 200, "nothing was consumed");
    let same = [
        "X-Tollgate-CSRF: 1",
        "Sec-Fetch-Site: same-origin",
        "Content-Type: application/json",
    ];
    let own_jar = format!("Cookie: {}", cookie(&answer));
    let fields = [&[&*own_jar], &same[..]].concat();
    assert_eq!(
        house.send("POST", "/auth/refresh", &fields, "{}").status,
        200
    );
}

#[test]
fn what_passes_again_later_never_takes_the_cookie_away() {
    let house = House::with(|config| {
        config
            .replace(r#"refresh = "1000/s""#, r#"refresh = "2/m""#)
            .replace(
                "[sessions.claims_hook]",
                "[sessions.claims_hook]\nstale_ok = \"0s\"",
            )
    });
    let jar = cookie(&house.web("/auth/login", None, &[]));
    house.service.answers("/claims", 500, &json!(null));
    let answer = house.web("/auth/refresh", Some(&jar), &[]);
    fails(&answer, 503, "temporarily_unavailable");
    assert_eq!(answer.field("set-cookie"), None);
    house.service.answers("/claims", 204, &json!(null));
    let limited = (0..20)
        .map(|_| house.web("/auth/refresh", Some(&jar), &[]))
        .find(|answer| answer.status != 200)
        .expect("the limit is reached");
    fails(&limited, 429, "temporarily_unavailable");
    assert_eq!(limited.field("set-cookie"), None);
    assert!(limited.field("retry-after").is_some());
}

#[test]
fn credentials_of_pages_are_for_the_auth_endpoints_alone() {
    let house = house();
    let asked = |path: &str, origin: &str| {
        let fields = [
            &*format!("Origin: {origin}"),
            "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: x-tollgate-csrf",
        ];
        house.send("OPTIONS", path, &fields, "")
    };
    let allowed = |path: &str, origin: &str| {
        let answer = asked(path, origin);
        answer
            .field("access-control-allow-credentials")
            .map(str::to_owned)
    };
    for path in [
        "/auth/login",
        "/auth/refresh",
        "/auth/logout",
        "/auth/sessions",
    ] {
        assert_eq!(allowed(path, ORIGIN).as_deref(), Some("true"), "{path}");
        assert_eq!(allowed(path, "https://evil.example"), None, "{path}");
        assert_eq!(allowed(path, "null"), None, "{path}");
        let answer = asked(path, ORIGIN);
        assert_eq!(answer.field("vary"), Some("Origin"));
        let headers = answer.field("access-control-allow-headers").unwrap();
        for name in ["X-Client-Id", "X-Device-Label", "X-Tollgate-CSRF"] {
            assert!(headers.contains(name), "{headers}");
        }
    }
    for path in ["/oauth/token", "/oauth/revoke", "/.well-known/jwks.json"] {
        assert_eq!(allowed(path, ORIGIN), None, "{path}");
    }
    let public = house.send(
        "GET",
        "/.well-known/jwks.json",
        &["Origin: https://any.example"],
        "",
    );
    assert_eq!(public.field("access-control-allow-origin"), Some("*"));
}
