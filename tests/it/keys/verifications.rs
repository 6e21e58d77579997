//! `tollgate_token_verifications_total`: every token once, whatever became of its request.

use serde_json::json;

use super::{SELDOM, issuer_table, jwks, refreshes};
use crate::support::{Gateway, Issuer, Provider, ProviderAnswer, Upstream};

fn config(upstream: &Upstream, tables: &str) -> String {
    format!(
        "{tables}[products.crm]\n[products.gold]\n[upstreams.app]\nservers = [\"{}\"]\n\
         [routes.app]\npath = \"/app\"\nproduct = \"crm\"\nupstream = \"app\"\n\
         [routes.gold]\npath = \"/gold\"\nproduct = \"gold\"\nupstream = \"app\"\n\
         [routes.trial]\npath = \"/trial\"\nproduct = \"gold\"\nupstream = \"app\"\nmode = \"shadow\"\n\
         [routes.open]\npath = \"/open\"\naccess = \"public\"\nupstream = \"app\"\n",
        upstream.address
    )
}

#[test]
fn every_token_is_counted_once_by_its_outcome_and_source() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let tables = issuer_table("main", &issuer, "jwks_file = \"jwks.json\"");
    let gateway = Gateway::start(
        &config(&upstream, &tables),
        &[("jwks.json", &issuer.jwks())],
    );
    let good = issuer.token(json!({}));
    let other = issuer.token(json!({ "sub": "u_2" }));
    let expired = issuer.token(json!({ "exp": 1_000_000_000, "iat": 999_999_000 }));
    let unsound = issuer.token(json!({ "products": ["crm", "a,b"] }));
    let nobody = Issuer::new("https://nobody.example.com").token(json!({}));
    let revoked = issuer.token(json!({ "sub": "u_3", "jti": "t_1" }));
    assert_eq!(
        gateway
            .admin_post("/api/revocations", r#"{"token": "t_1", "issuer": "main"}"#)
            .status,
        200
    );
    let counted = |outcome: &str, source: &str| {
        let (outcome, source) = (
            format!("outcome=\"{outcome}\""),
            format!("source=\"{source}\""),
        );
        gateway.metric("tollgate_token_verifications_total", &[&outcome, &source])
    };
    // Path and token, the status, and the one series that counts it.
    let rows = [
        ("/app", &*good, 200, "accepted", "signature"),
        ("/app", &*good, 200, "accepted", "cache"),
        ("/gold", &*good, 403, "accepted", "cache"),
        ("/gold", &*other, 403, "accepted", "signature"),
        ("/trial", &*good, 200, "accepted", "cache"),
        ("/trial", &*expired, 200, "token_expired", "signature"),
        ("/app", &*unsound, 401, "claim_invalid", "signature"),
        ("/app", &*unsound, 401, "claim_invalid", "cache"),
        ("/app", &*revoked, 401, "token_revoked", "signature"),
        ("/app", &*revoked, 401, "token_revoked", "cache"),
        ("/app", &*nobody, 401, "issuer_unknown", "signature"),
        ("/app", "not-a-token", 401, "token_malformed", "signature"),
    ];
    let all = || gateway.metric("tollgate_token_verifications_total", &[]);
    for (path, token, status, outcome, source) in rows {
        let before = (all(), counted(outcome, source));
        let answer = gateway.get(path, &[&format!("Authorization: Bearer {token}")]);
        assert_eq!(answer.status, status, "{path} {outcome}: {answer:?}");
        let after = (all(), counted(outcome, source));
        assert_eq!(
            after,
            (before.0 + 1.0, before.1 + 1.0),
            "{path} {outcome} {source}"
        );
    }
    assert_eq!(gateway.metric("tollgate_verified_tokens", &[]), 4.0);
    // No token, none that is looked at, no count.
    let before = all();
    assert_eq!(gateway.get("/app", &[]).status, 401);
    assert_eq!(
        gateway
            .get("/open", &[&format!("Authorization: Bearer {good}")])
            .status,
        200
    );
    assert_eq!(
        gateway
            .get("/nowhere", &[&format!("Authorization: Bearer {good}")])
            .status,
        404
    );
    assert_eq!(all(), before);
}

#[test]
fn a_shadow_route_fetches_unknown_keys_as_others_do() {
    let upstream = Upstream::start();
    let [old, new] = [(); 2].map(|()| Issuer::new("https://auth.example.com"));
    let provider = Provider::start(ProviderAnswer::Document(old.jwks()));
    let keys = format!("jwks_url = \"{}/jwks\"\nrefresh = {SELDOM}", provider.url());
    let gateway = Gateway::start(&config(&upstream, &issuer_table("main", &old, &keys)), &[]);
    provider.answer(ProviderAnswer::Document(jwks(&[new.key.public_jwk()])));
    let bearer = format!(
        "Authorization: Bearer {}",
        new.token(json!({ "products": ["gold"] }))
    );
    assert_eq!(gateway.get("/trial", &[&bearer]).status, 200);
    assert!(
        upstream.last().contains("X-Identity-Subject: u_1"),
        "the key was not fetched"
    );
    assert_eq!(refreshes(&gateway, "main", "fetched"), 2.0);
}

#[test]
fn a_token_that_is_bound_to_a_key_of_its_holder_is_no_plain_bearer() {
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let tables = issuer_table("main", &issuer, "jwks_file = \"jwks.json\"");
    let gateway = Gateway::start(
        &config(&upstream, &tables),
        &[("jwks.json", &issuer.jwks())],
    );
    for cnf in [
        json!({ "jkt": "x" }),
        json!({ "x5t#S256": "x" }),
        json!({}),
        json!(1),
    ] {
        let token = issuer.token(json!({ "cnf": cnf }));
        let answer = gateway.get("/app", &[&format!("Authorization: Bearer {token}")]);
        assert_eq!((answer.status, &*answer.reason()), (401, "claim_invalid"));
    }
    assert_eq!(upstream.count(), 0);
}
