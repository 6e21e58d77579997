//! Every way to forge a token that this class of product is known to have fallen for, over a socket: each is refused with
//! its reason, and the upstream hears nothing.

mod forge;
mod rows;
mod shaped;
mod signed;

use std::collections::BTreeMap;

use crate::support::{Gateway, Upstream};
use forge::Forge;

/// One attack: its name, the token, and the reason it must be refused with.
struct Attack {
    name: String,
    token: String,
    reason: &'static str,
}

fn gateway(upstream: &Upstream, forge: &Forge) -> Gateway {
    let issuer = |name: &str, algorithms: &str, keys: &str| {
        format!(
            "[issuers.{name}]\nissuer = \"https://{name}.example.com\"\naudiences = [\"https://api.example.com\"]\n\
             algorithms = [{algorithms}]\n{keys}\n"
        )
    };
    let config = [
        issuer("rsa", "\"RS256\"", "jwks_file = \"rsa.json\""),
        issuer("other", "\"RS256\"", "jwks_file = \"other.json\""),
        issuer("ec", "\"ES256\"", "jwks_file = \"ec.json\""),
        issuer("ed", "\"EdDSA\"", "jwks_file = \"ed.json\""),
        issuer("hmac", "\"HS256\"", "secrets = [\"file:hmac.secret\"]"),
        format!(
            "[products.crm]\n[upstreams.app]\nservers = [\"{}\"]\n\
             [routes.crm]\npath = \"/crm\"\nproduct = \"crm\"\nupstream = \"app\"\n",
            upstream.address
        ),
    ];
    let files = [
        ("rsa.json", forge.rsa.jwks.as_str()),
        ("other.json", forge.other.jwks.as_str()),
        ("ec.json", forge.ec.jwks.as_str()),
        ("ed.json", forge.ed.jwks.as_str()),
        ("hmac.secret", forge::HMAC_SECRET),
    ];
    Gateway::start(&config.concat(), &files)
}

#[test]
fn every_known_attack_on_a_token_is_refused_with_its_reason() {
    let (upstream, forge) = (Upstream::start(), Forge::new());
    let gateway = gateway(&upstream, &forge);
    for (issuer, good) in forge.good_tokens() {
        let answer = gateway.get("/crm", &[&format!("Authorization: Bearer {good}")]);
        assert_eq!(answer.status, 200, "{issuer}: {answer:?}");
    }
    let passed = upstream.count();

    let attacks = rows::attacks(&forge);
    assert!(attacks.len() >= 120, "the table has {} rows", attacks.len());
    let mut wrong = BTreeMap::new();
    for attack in &attacks {
        let mut client = gateway.client();
        client.try_send(format!(
            "GET /crm HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n",
            attack.token
        ));
        let answer = client.answer().expect("a refusal is an answer");
        if answer.status == 200 || answer.reason() != attack.reason {
            wrong.insert(
                &attack.name,
                (
                    answer.status,
                    attack.reason,
                    String::from_utf8_lossy(&answer.body).into_owned(),
                ),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(upstream.count(), passed, "the upstream heard of an attack");
}

#[test]
fn a_token_anywhere_but_in_one_authorization_is_not_accepted() {
    let (upstream, forge) = (Upstream::start(), Forge::new());
    let gateway = gateway(&upstream, &forge);
    let good = &forge.good_tokens()[0].1;
    let bearer = format!("Authorization: Bearer {good}");
    let rows: [(&str, String, Vec<String>, u16); 9] = [
        ("query", format!("/crm?access_token={good}"), vec![], 401),
        (
            "cookie",
            "/crm".into(),
            vec![format!("Cookie: access_token={good}; token={good}")],
            401,
        ),
        (
            "other header",
            "/crm".into(),
            vec![format!("X-Access-Token: {good}")],
            401,
        ),
        (
            "proxy header",
            "/crm".into(),
            vec![format!("Proxy-Authorization: Bearer {good}")],
            401,
        ),
        (
            "another scheme",
            "/crm".into(),
            vec![format!("Authorization: Token {good}")],
            401,
        ),
        (
            "no scheme",
            "/crm".into(),
            vec![format!("Authorization: {good}")],
            401,
        ),
        (
            "twice",
            "/crm".into(),
            vec![bearer.clone(), bearer.clone()],
            400,
        ),
        (
            "a comma",
            "/crm".into(),
            vec![format!("{bearer}, Bearer {good}")],
            400,
        ),
        (
            "header and query",
            format!("/crm?access_token={good}"),
            vec![bearer.clone()],
            400,
        ),
    ];
    for (name, path, fields, status) in rows {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        assert_eq!(gateway.get(&path, &fields).status, status, "{name}");
    }
    let mut client = gateway.client();
    let body = format!("access_token={good}");
    client.send(format!(
        "POST /crm HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(client.answer_to("POST").expect("an answer").status, 401);
    assert_eq!(upstream.count(), 0);
    assert_eq!(
        gateway
            .get("/crm", &[&bearer.replace("Bearer", "bEARER")])
            .status,
        200,
        "the scheme has no case"
    );
}
