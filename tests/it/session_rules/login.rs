//! What a login gives, and where clients find what they need.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::house::{House, Tokens, claims, cookie, fails, house, part};
use super::keys::{jwks, verifies};
use crate::support::free_address;

#[test]
fn a_login_gives_an_rfc_9068_token_and_a_refresh_token_in_the_body() {
    let house = house();
    let answer = house.try_login();
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let tokens = Tokens::of(&answer);
    assert_eq!(tokens.body["token_type"], "Bearer");
    assert_eq!(tokens.body["expires_in"], 60);
    assert_eq!(tokens.body["refresh_token_expires_in"], 30);
    assert_eq!(tokens.body["scope"], "crm.read");
    assert!(tokens.refresh.starts_with("tgr_"));
    let header = part(&tokens.access, 0);
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&json!("at+jwt"), &json!("ES256"))
    );
    let said = claims(&tokens.access);
    assert_eq!(said["iss"], "https://auth.example.com");
    assert_eq!(said["aud"], "https://api.example.com");
    assert_eq!(said["sub"], "u_1");
    assert_eq!(said["client_id"], "mobile");
    assert_eq!(said["scope"], "crm.read");
    assert_eq!(said["products"], json!(["crm"]));
    let (iat, exp) = (said["iat"].as_u64().unwrap(), said["exp"].as_u64().unwrap());
    assert_eq!(exp - iat, 60);
    for id in ["jti", "sid"] {
        assert_eq!(said[id].as_str().map(str::len), Some(36), "{id}");
    }
    let web = house.web("/auth/login", None, &[]);
    assert_eq!(web.status, 200);
    assert!(!web.text().contains("tgr_"));
    assert!(cookie(&web).contains("=tgr_"));
}

#[test]
fn what_the_identity_service_refuses_is_passed_on_and_opens_nothing() {
    let house = house();
    let before = house.login();
    let refusal = json!({ "error": "wrong", "hint": "try the other password" });
    house.service.answers("/login", 401, &refusal);
    for answer in [house.try_login(), house.web("/auth/login", None, &[])] {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json(), refusal);
        assert_eq!(answer.field("set-cookie"), None);
    }
    let list = house.bearer("GET", "/auth/sessions", &before.access).json();
    assert_eq!(list["sessions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_login_in_two_steps_carries_the_means_of_the_second_alone() {
    let house = house();
    let challenge = json!({ "challenge": "c1", "amr": ["pwd"], "acr": "aal1" });
    house.service.answers("/login", 403, &challenge);
    let step = house.try_login();
    assert_eq!((step.status, step.json()), (403, challenge));
    let said =
        json!({ "subject": "u_1", "products": ["crm"], "amr": ["pwd", "otp"], "acr": "aal2" });
    house.service.answers("/login", 200, &said);
    let said = claims(&house.login().access);
    assert_eq!(said["amr"], json!(["pwd", "otp"]));
    assert_eq!(said["acr"], "aal2");
}

#[test]
fn the_answer_that_the_readme_shows_is_what_tokens_say() {
    let readme = include_str!("../../../README.md");
    let (_, shown) = readme.split_once("```json\n").unwrap();
    let shown: Value = serde_json::from_str(shown.split("```").next().unwrap()).unwrap();
    let house = house();
    house.service.answers("/login", 200, &shown);
    let tokens = house.login();
    let said = claims(&tokens.access);
    assert_eq!(said["sub"], shown["subject"]);
    assert_eq!(said["team"], shown["claims"]["team"]);
    for name in ["products", "scope", "tenant", "acr", "amr", "auth_time"] {
        assert_eq!(said[name], shown[name], "{name}");
    }
    house.rotated(&tokens.refresh);
    let asked = house.service.asked("/claims").pop().unwrap();
    let asked: Value = serde_json::from_str(&asked).unwrap();
    for name in ["subject", "claims_version", "refresh_handle"] {
        assert_eq!(asked[name], shown[name], "{name}");
    }
}

#[test]
fn claims_that_are_the_gates_own_are_never_the_identity_services() {
    let house = house();
    for name in ["sub", "exp", "sid", "aud", "iss", "jti", "client_id"] {
        let said = json!({ "subject": "u_1", "claims": { name: "root" } });
        house.service.answers("/login", 200, &said);
        fails(&house.try_login(), 502, "server_error");
    }
    house.service.answers(
        "/login",
        200,
        &json!({ "subject": "u_1", "claims": { "team": "a" } }),
    );
    let tokens = house.login();
    let said = json!({ "products": ["crm"], "claims": { "sub": "root", "aud": "elsewhere" } });
    house.service.answers("/claims", 200, &said);
    // It is bridged as an outage is: the last word that could be used holds.
    let said = claims(&house.rotated(&tokens.refresh).access);
    assert_eq!((&said["sub"], &said["team"]), (&json!("u_1"), &json!("a")));
    assert_eq!(said["aud"], "https://api.example.com");
}

#[test]
fn both_documents_are_one_and_every_address_in_them_answers() {
    let house = house();
    let [openid, oauth] = ["openid-configuration", "oauth-authorization-server"]
        .map(|name| house.gateway.get(&format!("/.well-known/{name}"), &[]));
    assert_eq!(openid.json(), oauth.json());
    let document = openid.json();
    assert_eq!(document["issuer"], "https://auth.example.com");
    for name in [
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
    ] {
        let address = document[name].as_str().unwrap();
        let path = address.strip_prefix("https://auth.example.com").unwrap();
        let answer = house.form(path, "client_id=mobile");
        assert!([400, 401].contains(&answer.status), "{name}: {answer:?}");
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(
        document["jwks_uri"],
        "https://auth.example.com/.well-known/jwks.json"
    );
    assert!(verifies(&jwks(&house), &house.login().access));
}

#[test]
fn a_silent_identity_service_is_a_503_and_the_operator_reads_why() {
    let house = House::with(|config| {
        let at = config.find("/login\"").expect("the login hook");
        let from = config[..at].rfind("http://").expect("its address");
        config[..from].to_owned() + &format!("http://{}", free_address()) + &config[at..]
    });
    fails(&house.try_login(), 503, "temporarily_unavailable");
    let line = told(&house, &["the login hook failed"]);
    assert!(line.contains("Connection refused"), "{line}");
}

/// The diagnostics' line with these words, waited for: the log is written off the request path.
fn told(house: &House, words: &[&str]) -> String {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let said = house.gateway.diagnostics();
        let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
        if let Some(line) = said.lines().find(has_all) {
            return line.to_owned();
        }
        assert!(Instant::now() < deadline, "{words:?}: {said}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_operator_reads_what_an_answer_had_that_no_token_can_say_and_never_what_it_said() {
    let house = house();
    let refresh = house.login().refresh;
    for (said, cause) in [
        (json!({ "products": ["secret"] }), "no `subject`"),
        (
            json!({ "subject": "u_1", "auth_time": "secret" }),
            "a member has the wrong type or stands twice, line 1 column ",
        ),
        (
            json!({ "subject": "u_1", "claims": { "exp": "secret" } }),
            "`claims.exp` is the gate's alone to say",
        ),
        (
            json!({ "subject": "u_1", "tenant": "secret " }),
            "`tenant` has a control character or a space at its edge",
        ),
    ] {
        house.service.answers("/login", 200, &said);
        let answer = house.try_login();
        let id = answer.field("x-request-id").unwrap();
        let line = told(&house, &[id, "the login hook gave an unusable answer"]);
        assert!(line.contains(cause), "{line}");
    }
    let said = json!({ "products": ["crm"], "scope": "secret\n" });
    house.service.answers("/claims", 200, &said);
    let answer = house.refresh(&refresh);
    let id = answer.field("x-request-id").unwrap();
    let line = told(&house, &[id, "the claims hook gave an unusable answer"]);
    assert!(line.contains("`scope` has a control character"), "{line}");
    assert!(!house.gateway.diagnostics().contains("secret"));
}

#[test]
fn a_login_that_says_more_than_fits_into_a_token_opens_nothing() {
    let house = house();
    let long = |bytes: usize| "a".repeat(bytes);
    let said = |more: Value| {
        let mut said = json!({ "subject": "u_1", "products": ["crm"] });
        for (name, value) in more.as_object().unwrap() {
            said[name] = value.clone();
        }
        house.service.answers("/login", 200, &said);
        house.try_login()
    };
    for more in [
        json!({ "claims": { "a": long(5000) } }),
        json!({ "products": vec!["crm"; 1000] }),
        json!({ "scope": long(1100) }),
        json!({ "tenant": long(1100) }),
        json!({ "amr": vec!["pwd"; 300] }),
    ] {
        fails(&said(more), 502, "server_error");
    }
    let labels = ["event=\"hook_unavailable\""];
    let told = house.gateway.metric("tollgate_sessions_total", &labels);
    assert!((told - 5.0).abs() < 0.5, "{told}");
    let most = said(json!({ "claims": { "a": long(4000) }, "scope": long(1000) }));
    assert_eq!(house.api(&Tokens::of(&most).access), 200);
}

#[test]
fn an_issuer_with_a_path_is_found_by_either_standard_and_every_address_in_it_answers() {
    let house = House::with(|config| {
        config.replace("https://auth.example.com", "https://example.com/tenant")
    });
    let documents = [
        "/.well-known/oauth-authorization-server/tenant",
        "/tenant/.well-known/openid-configuration",
    ];
    let [oauth, openid] = documents.map(|path| house.gateway.get(path, &[]).json());
    assert_eq!(oauth, openid);
    assert_eq!(oauth["issuer"], "https://example.com/tenant");
    let path = |name: &str| {
        let address = oauth[name].as_str().unwrap();
        address.strip_prefix("https://example.com").unwrap()
    };
    let keys = house.gateway.get(path("jwks_uri"), &[]);
    assert_eq!(keys.json(), house.jwks().json());
    let token = house.login().refresh;
    let body = format!("grant_type=refresh_token&client_id=mobile&refresh_token={token}");
    let tokens = Tokens::of(&house.form(path("token_endpoint"), &body));
    assert_eq!(house.api(&tokens.access), 200);
    let body = format!("client_id=mobile&token={}", tokens.refresh);
    let revoked = house.form(path("revocation_endpoint"), &body);
    assert_eq!(revoked.status, 200);
    assert_eq!(house.api(&tokens.access), 401);
    let body = "client_id=mobile&token=x";
    fails(
        &house.form(path("introspection_endpoint"), body),
        401,
        "invalid_client",
    );
}
