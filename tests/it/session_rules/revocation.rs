//! What is revoked is felt on the next request, wherever the token is.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use super::house::{House, Tokens, claims, fails, house, send};

pub(super) fn sid(access: &str) -> String {
    claims(access)["sid"].as_str().unwrap().to_owned()
}

#[test]
fn a_shorter_life_leaves_tokens_that_are_out_and_what_is_revoked_stays_so_when_it_grows() {
    let house = House::with(|config| config.replace("\"60s\", jitter", "\"10m\", jitter"));
    let text = std::fs::read_to_string(house.gateway.config_path()).unwrap();
    let serve = |life: &str| {
        let text = text.replace("\"10m\", jitter", &format!("{life:?}, jitter"));
        std::fs::write(house.gateway.config_path(), text).unwrap();
        assert_eq!(house.gateway.admin_post("/api/reload", "").status, 200);
    };
    let (kept, dead) = (house.login(), house.login());
    serve("5s");
    assert_eq!(house.api(&kept.access), 200);
    let body = format!("client_id=mobile&token={}", dead.refresh);
    assert_eq!(house.form("/oauth/revoke", &body).status, 200);
    serve("10m");
    house.wait(75);
    assert_eq!(house.api(&dead.access), 401);
    assert_eq!(house.api(&kept.access), 200);
}

#[test]
fn a_token_that_is_given_back_ends_its_session_and_nobody_elses() {
    let house = house();
    let (first, other) = (house.login(), house.login());
    let next = house.rotated(&first.refresh);
    let token = &next.refresh;
    let mut flipped = token.clone();
    flipped.replace_range(10..11, if &token[10..11] == "A" { "B" } else { "A" });
    for body in [
        format!("client_id=other&token={token}"),
        format!("client_id=mobile&token={flipped}"),
        "client_id=mobile&token=garbage".to_owned(),
    ] {
        assert_eq!(house.form("/oauth/revoke", &body).status, 200);
        assert_eq!(house.api(&next.access), 200, "it had no effect");
    }
    // A spent one ends its chain as well as the newest.
    let body = format!("client_id=mobile&token={}", first.refresh);
    for _ in 0..2 {
        assert_eq!(house.form("/oauth/revoke", &body).status, 200);
        assert_eq!(house.api(&next.access), 401);
        assert_eq!(house.api(&first.access), 401);
    }
    assert_eq!(house.refresh(token).status, 400);
    assert_eq!(house.api(&other.access), 200);
}

#[test]
fn a_logout_everywhere_spares_a_login_of_the_same_second() {
    let house = house();
    let before = [house.login(), house.login(), house.login()];
    let answer = house.bearer("POST", "/auth/logout-all", &before[0].access);
    assert_eq!(answer.status, 200);
    let after = house.login();
    for tokens in &before {
        assert_eq!(house.api(&tokens.access), 401);
        assert_eq!(house.refresh(&tokens.refresh).status, 400);
    }
    assert_eq!(house.api(&after.access), 200);
    assert_eq!(house.refresh(&after.refresh).status, 200);
}

#[test]
fn a_device_is_listed_and_removed_by_its_owner_alone() {
    let house = house();
    let (here, there) = (house.login(), house.login());
    house.service.answers(
        "/login",
        200,
        &json!({ "subject": "u_2", "products": ["crm"] }),
    );
    let stranger = house.login();
    let list = |access: &str| {
        let list = house.bearer("GET", "/auth/sessions", access).json();
        list["sessions"].as_array().unwrap().clone()
    };
    assert_eq!(list(&here.access).len(), 2);
    let path = format!("/auth/sessions/{}", sid(&there.access));
    assert_eq!(house.bearer("DELETE", &path, &stranger.access).status, 404);
    assert_eq!(house.api(&there.access), 200);
    assert_eq!(house.bearer("DELETE", &path, &here.access).status, 204);
    assert_eq!(house.api(&there.access), 401);
    assert_eq!(house.refresh(&there.refresh).status, 400);
    assert_eq!(list(&here.access).len(), 1);
    assert_eq!(house.api(&here.access), 200);
}

#[test]
fn a_logout_with_tokens_in_two_places_is_none() {
    let house = house();
    let access = house.login().access;
    for path in ["/auth/logout", "/auth/logout-all"] {
        let answer = house.bearer("POST", &format!("{path}?access_token=x"), &access);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json()["reason"], "request_ambiguous");
    }
    assert_eq!(house.api(&access), 200);
}

#[test]
fn an_operator_sees_where_a_subject_is_logged_in() {
    let house = house();
    let (first, second) = (house.login(), house.login());
    let list = |subject: &str| {
        let path = format!("/admin/sessions?sub={subject}");
        let answer = house.gateway.admin_get(&path);
        assert_eq!(answer.status, 200, "{answer:?}");
        let sessions = answer.json()["sessions"].as_array().unwrap().clone();
        assert!(!answer.text().contains("tgr_"));
        sessions
    };
    let sids: Vec<_> = list("u_1").iter().map(|one| one["sid"].clone()).collect();
    assert_eq!(sids, [sid(&first.access), sid(&second.access)]);
    assert_eq!(list("u_1")[0]["client_id"], "mobile");
    assert!(list("u_2").is_empty());
    house.bearer("POST", "/auth/logout", &first.access);
    assert_eq!(list("u_1").len(), 1);
}

#[test]
fn an_operators_word_survives_a_kill() {
    let mut house = house();
    let tokens = [house.login(), house.login(), house.login()];
    let jti = claims(&tokens[1].access)["jti"]
        .as_str()
        .unwrap()
        .to_owned();
    for body in [
        json!({ "session": sid(&tokens[0].access) }),
        json!({ "token": jti }),
    ] {
        let answer = house
            .gateway
            .admin_post("/api/revocations", &body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    for _ in 0..2 {
        assert_eq!(house.api(&tokens[0].access), 401);
        assert_eq!(house.refresh(&tokens[0].refresh).status, 400);
        assert_eq!(house.api(&tokens[1].access), 401);
        assert_eq!(house.api(&tokens[2].access), 200);
        house.restart();
    }
    let body = json!({ "subject": "u_1" }).to_string();
    assert_eq!(
        house.gateway.admin_post("/api/revocations", &body).status,
        200
    );
    house.restart();
    assert_eq!(house.api(&tokens[2].access), 401);
    assert_eq!(house.api(&house.login().access), 200);
}

#[test]
fn a_tenant_that_is_revoked_loses_its_sessions_and_no_other_does() {
    let mut house = house();
    let login = |house: &House, said: serde_json::Value| {
        let mut answer = json!({ "subject": "u_1", "products": ["crm"] });
        let said = said.as_object().unwrap().clone();
        answer.as_object_mut().unwrap().extend(said);
        house.service.answers("/login", 200, &answer);
        house.login()
    };
    let dead = [
        login(&house, json!({ "tenant": "acme" })),
        login(&house, json!({ "claims": { "tenant": "acme" } })),
        login(&house, json!({ "claims": { "tenant": 7 } })),
    ];
    let living = login(&house, json!({ "tenant": "other" }));
    for tenant in ["acme", "7"] {
        let body = json!({ "tenant": tenant }).to_string();
        let answer = house.gateway.admin_post("/api/revocations", &body);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let anew = login(&house, json!({ "tenant": "acme" }));
    for _ in 0..2 {
        for tokens in &dead {
            assert_eq!(house.api(&tokens.access), 401);
            assert_eq!(house.refresh(&tokens.refresh).status, 400);
        }
        assert_eq!(house.api(&anew.access), 200);
        assert_eq!(house.api(&living.access), 200);
        house.restart();
    }
    house.rotated(&anew.refresh);
    house.rotated(&living.refresh);
}

#[test]
fn a_subject_whose_entitlements_changed_keeps_its_session_and_loses_its_tokens_so_far() {
    let mut house = house();
    let [gone, other] = ["u_1", "u_2"].map(|subject| {
        let said = json!({ "subject": subject, "products": ["crm"] });
        house.service.answers("/login", 200, &said);
        house.login()
    });
    house.service.answers(
        "/claims",
        200,
        &json!({ "products": ["crm"], "tenant": "acme" }),
    );
    let body = json!({ "entitlements": "u_1" }).to_string();
    let answer = house.gateway.admin_post("/api/revocations", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    for _ in 0..2 {
        assert_eq!(house.api(&gone.access), 401);
        assert_eq!(house.api(&other.access), 200);
        house.restart();
    }
    let renewed = house.rotated(&gone.refresh);
    assert_eq!(house.api(&renewed.access), 200);
    assert_eq!(sid(&renewed.access), sid(&gone.access));
    assert_eq!(claims(&renewed.access)["tenant"], "acme");
}

#[test]
fn sessions_of_a_client_that_was_revoked_are_told_of_no_more() {
    let house = House::with(|config| {
        config.replace(
            "grants = [\"client_credentials\"]",
            "grants = [\"client_credentials\", \"refresh_token\"]",
        )
    });
    let here = house.login();
    let login = house.assertion("login", json!({}));
    let partner = Tokens::of(&house.form("/auth/login", &login));
    let is_active = |id: &str| {
        let body = format!(
            "token={}&{}",
            partner.refresh,
            house.assertion(id, json!({}))
        );
        house.form("/oauth/introspect", &body).json()["active"] == true
    };
    let listed = || {
        let list = house.bearer("GET", "/auth/sessions", &here.access).json();
        list["sessions"].as_array().unwrap().len()
    };
    assert_eq!((is_active("before"), listed()), (true, 2));
    let body = json!({ "client": "partner" }).to_string();
    assert_eq!(
        house.gateway.admin_post("/api/revocations", &body).status,
        200
    );
    assert_eq!((is_active("after"), listed()), (false, 1));
}

#[test]
fn a_clients_revocation_outlasts_the_longest_of_its_sessions() {
    let own = "[sessions.clients.mobile]\nidle_lifetime = \"30m\"\nabsolute_lifetime = \"30m\"";
    let house = House::with(|config| config.replace("[sessions.clients.mobile]", own));
    let tokens = house.login();
    let body = json!({ "client": "mobile" }).to_string();
    assert_eq!(
        house.gateway.admin_post("/api/revocations", &body).status,
        200
    );
    house.wait(20 * 60);
    fails(&house.refresh(&tokens.refresh), 400, "invalid_grant");
}

#[test]
fn the_metric_counts_a_revocation_when_it_is_in_force() {
    let house = house();
    let count = || house.gateway.metric("tollgate_revocations", &[]);
    assert!(count() < 0.5);
    for session in ["one", "two"] {
        let body = json!({ "session": session }).to_string();
        let answer = house.gateway.admin_post("/api/revocations", &body);
        assert_eq!(answer.status, 200);
    }
    assert!((count() - 2.0).abs() < 0.5);
    let lag = house.gateway.metric("tollgate_revocation_lag_seconds", &[]);
    assert!((0.0..1.0).contains(&lag), "{lag}");
}

/// A server that keeps what it is asked open, and speaks each tenth of a second.
fn streaming_server() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
                    head.push(byte[0]);
                }
                let upgrade = String::from_utf8_lossy(&head).contains("Upgrade: websocket");
                let (begin, piece): (_, &[u8]) = match upgrade {
                    true => (SWITCHING, b"\x81\x02hi"),
                    false => (EVENTS, b"9\r\ndata: x\n\n\r\n"),
                };
                let mut open = stream.write_all(begin.as_bytes()).is_ok();
                while open {
                    open = stream.write_all(piece).is_ok();
                    std::thread::sleep(Duration::from_millis(100));
                }
            });
        }
    });
    address
}

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const EVENTS: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn a_logout_is_felt_by_a_hot_token_and_by_open_streams_within_a_second() {
    let server = streaming_server();
    let house = House::with(|config| {
        let routes = "[upstreams.live]\nservers = [\"LIVE\"]\n[routes.live]\npath = \"/live/*\"\nproduct = \"crm\"\nupstream = \"live\"\n[sessions]";
        config.replacen(
            "[sessions]",
            &routes.replace("LIVE", &server.to_string()),
            1,
        )
    });
    let tokens = house.login();
    let bearer = format!("Authorization: Bearer {}", tokens.access);
    let mut hot = house.gateway.client();
    for _ in 0..2000 {
        send(&mut hot, "GET", "/crm/x", &[&bearer], "");
        assert_eq!(hot.answer().unwrap().status, 200);
    }
    let mut events = std::net::TcpStream::connect(house.gateway.public).unwrap();
    let mut socket = std::net::TcpStream::connect(house.gateway.public).unwrap();
    let ask = |path: &str, more: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: api.example.com\r\n{bearer}\r\n{more}\r\n")
    };
    events
        .write_all(ask("/live/events", "").as_bytes())
        .unwrap();
    let handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    socket
        .write_all(ask("/live/socket", handshake).as_bytes())
        .unwrap();
    for stream in [&mut events, &mut socket] {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut heard = 0;
        while heard < 300 {
            let length = stream.read(&mut [0; 100]).unwrap();
            assert!(length > 0, "the stream is open");
            heard += length;
        }
    }
    assert_eq!(
        house.bearer("POST", "/auth/logout", &tokens.access).status,
        200
    );
    let revoked = Instant::now();
    send(&mut hot, "GET", "/crm/x", &[&bearer], "");
    assert_eq!(
        hot.answer().unwrap().status,
        401,
        "on the very next request"
    );
    for stream in [&mut events, &mut socket] {
        while stream.read(&mut [0; 4096]).unwrap_or(0) > 0 {
            assert!(
                revoked.elapsed() < Duration::from_secs(10),
                "it is still open"
            );
        }
    }
    let took = revoked.elapsed();
    assert!(took < Duration::from_secs(1), "closed after {took:?}");
}

#[test]
fn introspection_tells_what_counts_and_what_no_longer_does() {
    let house = house();
    let tokens = house.login();
    let ask = |token: &str, id: &str| {
        let body = format!("token={token}&{}", house.assertion(id, json!({})));
        house.form("/oauth/introspect", &body).json()
    };
    let told = ask(&tokens.access, "a");
    assert_eq!(
        (&told["active"], &told["sub"]),
        (&json!(true), &json!("u_1"))
    );
    assert_eq!(told["client_id"], "mobile");
    assert_eq!(
        ask(&tokens.refresh, "b"),
        json!({ "active": false }),
        "another client's"
    );
    assert_eq!(ask("garbage", "c"), json!({ "active": false }));
    house.bearer("POST", "/auth/logout", &tokens.access);
    assert_eq!(ask(&tokens.access, "d"), json!({ "active": false }));
    let body = format!("client_id=mobile&token={}", tokens.access);
    assert_eq!(
        house.form("/oauth/introspect", &body).status,
        401,
        "a public client learns nothing"
    );
}
