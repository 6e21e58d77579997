//! What the upstream hears.

use super::house::House;

fn names(fields: &[(String, String)]) -> Vec<String> {
    fields
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect()
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    fields
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
        .collect()
}

#[test]
fn what_belongs_to_one_hop_or_to_the_gate_is_left_out() {
    let house = House::new();
    let fields = [
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "5"),
        ("TE", "trailers"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "5"),
        ("Upgrade", "websocket"),
        ("Proxy-Authorization", "x"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("x_custom", "1"),
        ("X-Identity-Subject", "forged"),
        ("X_IDENTITY_SUBJECT", "forged"),
        ("Authorization", "Basic x"),
        ("Accept", "*/*"),
    ];
    let told = house.forwarded("/open/x", &fields, false);
    let expected = [
        "accept",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-real-ip",
        "forwarded",
        "x-request-id",
        "traceparent",
    ];
    assert_eq!(names(&told), expected);
}

#[test]
fn a_request_id_of_another_spelling_is_not_the_clients() {
    let house = House::new();
    let (id, other) = (
        "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    );
    let told = |fields: &[(&str, &str)]| {
        let told = house.forwarded("/open/x", fields, false);
        value(&told, "x-request-id").join(" ")
    };
    assert_eq!(told(&[("x-Request-ID", id)]), id);
    for alias in ["X_Request_Id", "x-request_id"] {
        assert_ne!(told(&[(alias, id)]), id, "{alias}");
    }
    let both = told(&[("X-Request-Id", id), ("X_Request_Id", other)]);
    assert!(both != id && both != other, "{both}");
}

#[test]
fn cookies_come_in_one_field() {
    let house = House::new();
    let told = house.forwarded(
        "/open/x",
        &[("Cookie", "a=1"), ("Cookie", "b=2; c=3")],
        false,
    );
    assert_eq!(value(&told, "cookie"), ["a=1; b=2; c=3"]);
    let told = house.forwarded("/open/x", &[("Cookie", "a=1;b=2")], false);
    assert_eq!(value(&told, "cookie"), ["a=1;b=2"]);
}

#[test]
fn a_clients_own_words_of_its_way_count_behind_a_trusted_proxy_alone() {
    let house = House::new();
    let fields = [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "for=203.0.113.9"),
    ];
    let told = house.forwarded("/open/x", &fields, false);
    assert_eq!(value(&told, "x-forwarded-for"), ["192.0.2.1"]);
    assert_eq!(value(&told, "x-forwarded-proto"), ["http"]);
    assert_eq!(
        value(&told, "forwarded"),
        ["for=192.0.2.1;proto=http;host=\"api.example.com\""]
    );
    let told = house.forwarded("/open/x", &fields, true);
    assert_eq!(value(&told, "x-forwarded-for"), ["203.0.113.9, 192.0.2.1"]);
    assert_eq!(value(&told, "x-forwarded-proto"), ["https"]);
    assert_eq!(value(&told, "x-real-ip"), ["203.0.113.9"]);
}

#[test]
fn a_trusted_proxy_that_says_nothing_leaves_the_gates_own_word() {
    let house = House::new();
    for empty in ["", ", "] {
        let fields = [
            ("X-Forwarded-For", empty),
            ("X-Forwarded-Proto", empty),
            ("X-Forwarded-Host", empty),
            ("Forwarded", empty),
        ];
        let told = house.forwarded("/open/x", &fields, true);
        assert_eq!(value(&told, "x-forwarded-for"), ["192.0.2.1"]);
        assert_eq!(value(&told, "x-forwarded-proto"), ["http"]);
        assert_eq!(value(&told, "x-forwarded-host"), ["api.example.com"]);
        assert_eq!(
            value(&told, "forwarded"),
            ["for=192.0.2.1;proto=http;host=\"api.example.com\""]
        );
    }
}

#[test]
fn identity_is_told_of_a_verified_caller_alone() {
    let house = House::new();
    let bearer = house.bearer();
    let told = house.forwarded("/crm/x", &[("Authorization", &bearer)], false);
    assert_eq!(value(&told, "x-identity-subject"), ["u_1"]);
    assert_eq!(
        value(&told, "x-identity-issuer"),
        ["https://auth.example.com"]
    );
    assert_eq!(value(&told, "x-identity-products"), ["crm"]);
    assert_eq!(value(&told, "x-identity-tenant"), ["acme"]);
    assert!(value(&told, "x-identity-session").is_empty());
    assert!(value(&told, "authorization").is_empty());
    let told = house.forwarded("/shadow/x", &[], false);
    assert!(
        !names(&told)
            .iter()
            .any(|name| name.starts_with("x-identity-"))
    );
}

#[test]
fn an_answer_says_nothing_under_the_gates_own_names() {
    let gate = House::new().gate;
    for name in [
        "X-Identity-Subject",
        "x_identity_anything",
        "X-Identity-",
        "X-Request-Id",
        "x_request_id",
    ] {
        assert!(gate.keeps_back(name), "{name}");
    }
    for name in ["X-Identity", "X-Identities", "X-Request", "Set-Cookie"] {
        assert!(!gate.keeps_back(name), "{name}");
    }
}

#[test]
fn a_websocket_token_is_taken_out_of_the_protocols() {
    let house = House::new();
    let others = [("Sec-WebSocket-Protocol", "bearer.x, chat")];
    let told = house.forwarded("/open/x", &others, false);
    assert_eq!(value(&told, "sec-websocket-protocol"), ["bearer.x, chat"]);
    let offered = format!(
        "chat, bearer.{}, superchat",
        house.token(serde_json::json!({}))
    );
    let told = house.forwarded("/socket", &[("Sec-WebSocket-Protocol", &offered)], false);
    assert_eq!(value(&told, "sec-websocket-protocol"), ["chat, superchat"]);
}

#[test]
fn a_prefix_is_stripped_and_the_rest_is_judged_again() {
    let house = House::new();
    let target = |path: &str| match house.ask(path, &[]) {
        super::super::Verdict::Forward(admission) => admission.path.to_target(),
        other => super::house::word(&other).to_owned(),
    };
    assert_eq!(target("/api/v1/users?q=%2f"), "/users?q=%2f");
    assert_eq!(target("/api/v1"), "/");
    assert_eq!(target("/api/v1/"), "/");
}
