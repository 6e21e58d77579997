//! Who may pass, and the word for those who may not.

use serde_json::json;

use super::super::{Reason, Silent, Verdict};
use super::house::{Fields, House, NOW, word};
use crate::policy::Pass;
use crate::session::{Revocation, Revoked};
use crate::token::BearerToken;
use crate::wire::{Field, RequestHead};

#[test]
fn a_good_token_opens_its_route_and_only_its_route() {
    let house = House::new();
    let bearer = house.bearer();
    assert_eq!(
        house.word("/crm/contacts", &[("Authorization", &bearer)]),
        "forward"
    );
    assert_eq!(house.word("/crm", &[("Authorization", &bearer)]), "forward");
    assert_eq!(
        house.word("/crmx", &[("Authorization", &bearer)]),
        "route_unknown"
    );
    let other = format!("Bearer {}", house.token(json!({ "products": ["billing"] })));
    assert_eq!(
        house.word("/crm/contacts", &[("Authorization", &other)]),
        "product_missing"
    );
}

#[test]
fn a_public_route_looks_at_no_token() {
    let house = House::new();
    for authorization in ["Bearer garbage", "Basic dTpw", "", &house.bearer()] {
        let Verdict::Forward(admission) = house.ask("/open/x", &[("Authorization", authorization)])
        else {
            panic!("{authorization} is refused");
        };
        assert!(matches!(admission.permit.pass(), Pass::Public));
        assert!(admission.permit.verified().is_none());
    }
}

#[test]
fn a_shadow_route_lets_pass_without_identity_but_not_what_is_ambiguous_or_revoked() {
    let house = House::new();
    for authorization in [
        None,
        Some("Bearer garbage".to_owned()),
        Some(format!("Bearer {}", house.token(json!({ "products": [] })))),
        Some(format!(
            "Bearer {}",
            house.token(json!({ "products": ["crm", "a,b"] }))
        )),
    ] {
        let fields: Vec<(&str, &str)> = authorization
            .iter()
            .map(|value| ("Authorization", value.as_str()))
            .collect();
        let Verdict::Forward(admission) = house.ask("/shadow/x", &fields) else {
            panic!("{authorization:?} is refused")
        };
        assert!(admission.shadowed.is_some());
        assert!(admission.permit.verified().is_none());
    }
    let bearer = house.bearer();
    assert_eq!(
        house.word("/shadow/x", &[("Authorization", &bearer)]),
        "forward"
    );
    assert_eq!(
        house.word("/shadow/x", &[("Authorization", "Bearer a, Bearer b")]),
        "request_ambiguous"
    );
    let token = format!("Bearer {}", house.token(json!({ "sid": "s_dead" })));
    assert_eq!(
        house.word("/shadow/x", &[("Authorization", &token)]),
        "forward"
    );
    house.revocations.revoke(dead_session(), NOW);
    assert_eq!(
        house.word("/shadow/x", &[("Authorization", &token)]),
        "token_revoked"
    );
}

#[test]
fn a_tenant_is_the_paths_decoded_segment() {
    let house = House::new();
    let spaced = format!("Bearer {}", house.token(json!({ "tenant": "a b" })));
    assert_eq!(
        house.word("/t/a%20b/x", &[("Authorization", &spaced)]),
        "forward"
    );
    assert_eq!(
        house.word("/t/a%2520b/x", &[("Authorization", &spaced)]),
        "tenant_mismatch"
    );
    let bearer = house.bearer();
    assert_eq!(
        house.word("/t/acme/x", &[("Authorization", &bearer)]),
        "forward"
    );
    assert_eq!(
        house.word("/t/Acme/x", &[("Authorization", &bearer)]),
        "tenant_mismatch"
    );
    // Some servers end the segment at its `;`: it is no tenant, not even that of a token without one.
    let nobodys = format!("Bearer {}", house.token(json!({ "tenant": "" })));
    for bearer in [&bearer, &nobodys] {
        for target in ["/t/acme;x/y", "/t/acme%3Bx/y", "/t/;x/y"] {
            assert_ne!(house.word(target, &[("Authorization", bearer)]), "forward");
        }
        let word = house.word("/t/acme;x/y", &[("Authorization", bearer)]);
        assert_eq!(word, "tenant_mismatch");
    }
    let word = house.word("/t/acme/y", &[("Authorization", &nobodys)]);
    assert_eq!(word, "tenant_mismatch");
}

#[test]
fn a_route_takes_tokens_of_its_issuers_alone() {
    let house = House::new();
    let other = format!(
        "Bearer {}",
        house.token(json!({ "iss": "https://other.example.com" }))
    );
    assert_eq!(
        house.word("/mine", &[("Authorization", &house.bearer())]),
        "forward"
    );
    assert_eq!(
        house.word("/mine", &[("Authorization", &other)]),
        "issuer_unknown"
    );
    assert_eq!(house.word("/crm", &[("Authorization", &other)]), "forward");
}

#[test]
fn an_element_that_would_break_the_list_is_a_claim_fault_once_policy_lets_it_pass() {
    let house = House::new();
    let token = |products| format!("Bearer {}", house.token(json!({ "products": products })));
    assert_eq!(
        house.word("/crm", &[("Authorization", &token(json!(["crm", "a,b"])))]),
        "claim_invalid"
    );
    assert_eq!(
        house.word("/crm", &[("Authorization", &token(json!(["crm,b"])))]),
        "product_missing"
    );
}

#[test]
fn a_token_stands_in_one_place() {
    let house = House::new();
    let (token, bearer) = (house.token(json!({})), house.bearer());
    let in_protocol = format!("chat, bearer.{token}");
    let oversized = format!("Bearer {}", "x".repeat(BearerToken::BYTES_MAX + 1));
    let rows: [(&str, &Fields<'_>, &str); 15] = [
        (
            "/crm?access_token=x",
            &[("Authorization", &oversized)],
            "request_ambiguous",
        ),
        (
            "/socket",
            &[("Sec-WebSocket-Protocol", "bearer.x, chat, bearer.x")],
            "request_ambiguous",
        ),
        (
            "/nowhere?access_token=x",
            &[("Authorization", &bearer)],
            "request_ambiguous",
        ),
        (
            "/open/x?access_token=x",
            &[("Authorization", &bearer)],
            "request_ambiguous",
        ),
        ("/open/x?access_token=x", &[], "forward"),
        (
            "/open/x?access_token=x",
            &[("Authorization", "Basic x")],
            "forward",
        ),
        (
            "/socket?access_token=x",
            &[("Sec-WebSocket-Protocol", &in_protocol)],
            "request_ambiguous",
        ),
        (
            "/crm",
            &[("Authorization", &bearer), ("Authorization", &bearer)],
            "request_ambiguous",
        ),
        (
            "/crm",
            &[("Authorization", &bearer), ("authorization", "Basic x")],
            "request_ambiguous",
        ),
        (
            "/crm",
            &[
                ("Authorization", &bearer),
                ("Sec-WebSocket-Protocol", &in_protocol),
            ],
            "forward",
        ),
        (
            "/crm",
            &[("Sec-WebSocket-Protocol", &in_protocol)],
            "token_missing",
        ),
        (
            "/socket",
            &[("Sec-WebSocket-Protocol", &in_protocol)],
            "forward",
        ),
        (
            "/socket",
            &[
                ("Authorization", &bearer),
                ("Sec-WebSocket-Protocol", &in_protocol),
            ],
            "request_ambiguous",
        ),
        (
            "/socket?access_token=x",
            &[("Authorization", &bearer)],
            "request_ambiguous",
        ),
        (
            "/crm?access%5Ftoken=x",
            &[("Authorization", &bearer)],
            "request_ambiguous",
        ),
    ];
    for (target, fields, expected) in rows {
        assert_eq!(house.word(target, fields), expected, "{target}");
    }
}

#[test]
fn a_token_that_is_no_text_is_malformed_wherever_it_stands() {
    let house = House::new();
    for (name, value) in [
        ("Authorization", b"Bearer \xff".as_slice()),
        ("Sec-WebSocket-Protocol", b"bearer.\xff"),
    ] {
        let verdict = house.with_head("GET", "/socket", &[], |head| {
            let fields = [head.fields, &[Field { name, value }]].concat();
            let head = RequestHead {
                fields: &fields,
                ..*head
            };
            house
                .gate
                .admit(&head, &house.revocations, NOW, &mut Silent)
        });
        assert_eq!(word(&verdict), Reason::TokenMalformed.as_str(), "{name}");
    }
}

#[test]
fn every_reading_of_a_path_finds_the_same_route() {
    let house = House::new();
    for target in [
        "/open/../crm",
        "/open/%2e%2e/crm",
        "/open//crm",
        "/open/..;/crm",
        "/open%2fx",
        "/open/x#y",
        "/open\\..\\crm",
        "//crm",
    ] {
        assert_eq!(house.word(target, &[]), "request_ambiguous", "{target}");
    }
    assert_eq!(house.word("/%6fpen/x", &[]), "forward");
    assert_eq!(house.word("/open/x%2541", &[]), "forward");
}

fn dead_session() -> Revocation {
    Revocation {
        what: Revoked::Session("s_dead".into()),
        issuer: None,
        cutoff: NOW,
        expires_at: NOW.plus(std::time::Duration::from_secs(3600)),
    }
}
