//! The assertion that an upstream can check, by the key set that the gate publishes and the verifier of this house.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Question, Rehearsal};
use super::house::{House, NOW, new_key};
use crate::identity::ASSERTION_TYPE;
use crate::time::Timestamp;
use crate::token::{
    Algorithm, BearerToken, ClaimPath, IssuerTerms, KeyRing, KeySet, SigningKey, TokenError,
    Verified, VerifiedTokens, Verifier,
};

const GATE: &str = "https://gate.example.com";

/// A house that signs assertions, good for a minute, with `key`.
fn signing_with(key: SigningKey) -> House {
    House::with(|config| {
        config.identity.signing_key = Some(Arc::new(key));
        config.identity.issuer = Some(GATE.into());
    })
}

/// The assertion that `upstream` gets at `now` with a request of `token`'s holder.
fn assertion(house: &House, token: &str, upstream: &str, now: Timestamp) -> String {
    let verified = house.gate.authenticate(token, now).unwrap();
    let mut found = Vec::new();
    let mut take = |name: &str, value: &[u8]| {
        if name == "X-Identity-Assertion" {
            found.push(String::from_utf8(value.to_vec()).unwrap());
        }
    };
    let identity = house.gate.identity();
    identity.put(&verified, &upstream.into(), now, &mut take);
    let [only] = &found[..] else {
        panic!("{found:?}");
    };
    only.clone()
}

/// What `upstream` makes of an assertion at `now`, by the keys that the gate of `house` publishes.
fn read(
    house: &House,
    assertion: &str,
    upstream: &str,
    now: Timestamp,
) -> Result<Verified, TokenError> {
    let claim = |name| ClaimPath::parse(name).unwrap();
    let terms = IssuerTerms {
        name: "gate".into(),
        issuer: GATE.into(),
        audiences: vec![upstream.into()],
        algorithms: vec![Algorithm::EdDsa],
        types: vec![ASSERTION_TYPE.into()],
        leeway: Duration::ZERO,
        lifetime_max: Duration::from_secs(60),
        products: claim("products"),
        scopes: claim("scope"),
        tenant: claim("tenant"),
    };
    let published = house.gate.identity().jwks();
    let (keys, odd) = KeySet::parse(published.as_bytes(), &terms.algorithms).unwrap();
    assert!(odd.is_empty(), "{odd:?}");
    let mut ring = KeyRing::default();
    ring.insert("gate".into(), Arc::new(keys));
    let cache = Arc::new(VerifiedTokens::new(1, [7; 32]));
    let verifier = Verifier::new(vec![Arc::new(terms)], &ring, cache);
    let bearer = BearerToken::from_compact(assertion).unwrap();
    let verified = verifier.verify(bearer, None, now);
    verified.map_err(|failure| failure.error)
}

#[test]
fn an_assertion_says_what_the_token_said_and_is_good_at_its_upstream_alone() {
    let house = signing_with(new_key());
    let token = house.token(json!({ "sid": "s_1", "scope": "a b", "products": ["crm", "wiki"] }));
    let app = assertion(&house, &token, "app", NOW);
    let verified = read(&house, &app, "app", NOW).unwrap();
    let told = verified.principal();
    assert_eq!(&*told.subject, "u_1");
    assert_eq!(told.tenant.as_deref(), Some("acme"));
    assert_eq!(told.session.as_deref(), Some("s_1"));
    assert_eq!(
        told.scopes.as_ref().map(|scopes| scopes.as_str()),
        Some("a b")
    );
    assert_eq!(told.products.joined(), Some("crm,wiki"));
    let elsewhere = read(&house, &app, "billing", NOW).unwrap_err();
    assert_eq!(elsewhere, TokenError::AudienceMismatch);
    let billing = assertion(&house, &token, "billing", NOW);
    let other = read(&house, &billing, "billing", NOW).unwrap();
    assert_ne!(other.principal().token_id, told.token_id);
    let stranger = signing_with(new_key());
    assert!(read(&stranger, &app, "app", NOW).is_err());
}

#[test]
fn an_assertion_ends_with_its_lifetime_and_never_behind_its_token() {
    let house = signing_with(new_key());
    for (left, ends) in [(600, 60), (61, 60), (60, 60), (59, 59), (1, 1)] {
        let token = house.token(json!({ "exp": NOW.as_secs() + left }));
        let app = assertion(&house, &token, "app", NOW);
        let last = NOW.plus(Duration::from_secs(ends - 1));
        assert!(read(&house, &app, "app", last).is_ok(), "{left}");
        let over = read(&house, &app, "app", NOW.plus(Duration::from_secs(ends)));
        assert_eq!(over.unwrap_err(), TokenError::Expired, "{left}");
    }
}

#[test]
fn an_assertion_is_sent_again_while_half_of_its_life_is_left() {
    let house = signing_with(new_key());
    let token = house.token(json!({}));
    let after = |secs| assertion(&house, &token, "app", NOW.plus(Duration::from_secs(secs)));
    let first = after(0);
    assert_eq!(after(29), first);
    assert_ne!(after(30), first);
}

#[test]
fn what_a_rehearsal_signs_is_no_assertion_of_the_gate() {
    let house = signing_with(new_key());
    let rehearsal = Rehearsal::of(house.gate.config(), Arc::new(new_key()), [7; 32]);
    let Value::Object(claims) = json!({ "sub": "root", "products": ["crm"] }) else {
        unreachable!("it is written as an object")
    };
    let question = Question {
        method: "GET".to_owned(),
        url: "/crm/x".to_owned(),
        token: Some(rehearsal.token(claims, NOW)),
        ..Question::default()
    };
    let told = question.explain(&rehearsal.gate, &house.revocations, NOW, [1, 2, 3]);
    let mut fields = told.fields.iter();
    let (_, assertion) = fields
        .find(|(name, _)| name == "X-Identity-Assertion")
        .expect("it shows what the upstream would get");
    let believed = read(&house, assertion, "app", NOW).map(drop);
    assert!(
        matches!(believed, Err(TokenError::KeyUnknown { .. })),
        "{believed:?}"
    );
}
