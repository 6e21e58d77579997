//! What is remembered of a verified token, and what is asked again at every hit.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::issuer::{NOW, TestIssuer, cache, claims_with, good_claims, hs256, hs256_keys, terms};
use crate::time::Timestamp;
use crate::token::{
    Algorithm, BearerToken, IssuerTerms, KeyRing, KeySet, Source, TokenError, TokenFailure,
    Verified, VerifiedTokens, Verifier,
};

/// A cache that outlives verifiers, as it outlives gates.
struct Fixture {
    issuer: TestIssuer,
    cache: Arc<VerifiedTokens>,
    token: String,
}

impl Fixture {
    fn new() -> Self {
        let issuer = TestIssuer::new(Algorithm::Es256);
        let token = issuer.sign(&good_claims());
        Self {
            issuer,
            cache: cache(),
            token,
        }
    }

    fn verifier(&self, terms: IssuerTerms, keys: KeySet) -> Verifier {
        let mut ring = KeyRing::default();
        ring.insert(terms.name.clone(), Arc::new(keys));
        Verifier::new(vec![Arc::new(terms)], &ring, self.cache.clone())
    }

    fn usual(&self) -> Verifier {
        let keys = KeySet::from_signing_keys([&self.issuer.key]);
        self.verifier(self.issuer.terms.clone(), keys)
    }

    fn verify(&self, verifier: &Verifier, now: u64) -> Result<Verified, TokenFailure> {
        let token = BearerToken::from_compact(&self.token).unwrap();
        verifier.verify(token, None, Timestamp::from_secs(now))
    }

    fn source(&self, verifier: &Verifier, now: u64) -> Source {
        self.verify(verifier, now).unwrap().source()
    }
}

#[test]
fn a_verified_token_is_remembered() {
    let fixture = Fixture::new();
    let verifier = fixture.usual();
    assert_eq!(fixture.source(&verifier, NOW), Source::Signature);
    assert_eq!(fixture.source(&verifier, NOW), Source::Cache);
    assert_eq!(fixture.cache.len(), 1);
    let first = fixture.verify(&verifier, NOW).unwrap();
    assert_eq!(&*first.principal().subject, "alice");
}

#[test]
fn a_new_gate_with_the_same_key_and_terms_still_remembers() {
    let fixture = Fixture::new();
    fixture.verify(&fixture.usual(), NOW).unwrap();
    assert_eq!(fixture.source(&fixture.usual(), NOW), Source::Cache);
}

#[test]
fn a_remembered_token_expires_on_time() {
    let fixture = Fixture::new();
    let verifier = fixture.usual();
    fixture.verify(&verifier, NOW).unwrap();
    assert_eq!(fixture.source(&verifier, NOW + 604), Source::Cache);
    let failure = fixture.verify(&verifier, NOW + 605).unwrap_err();
    assert_eq!(failure.error, TokenError::Expired);
    assert_eq!(failure.issuer_name.as_deref(), Some("main"));
    assert_eq!(fixture.cache.len(), 0);
}

#[test]
fn a_clock_that_was_wrong_gives_no_token_a_future() {
    let fixture = Fixture::new();
    let verifier = fixture.usual();
    fixture.verify(&verifier, NOW).unwrap();
    let failure = fixture.verify(&verifier, NOW - 60).unwrap_err();
    assert_eq!(failure.error, TokenError::NotYetValid);
}

#[test]
fn what_a_removed_key_vouched_for_is_forgotten_at_once() {
    let fixture = Fixture::new();
    fixture.verify(&fixture.usual(), NOW).unwrap();
    let other = TestIssuer::new(Algorithm::Es256);
    let keys = KeySet::from_signing_keys([&other.key]);
    let rotated = fixture.verifier(fixture.issuer.terms.clone(), keys);
    let failure = fixture.verify(&rotated, NOW).unwrap_err();
    assert!(matches!(failure.error, TokenError::KeyUnknown { .. }));
    let distrusted = KeySet::from_signing_keys([&fixture.issuer.key]);
    let distrusted = distrusted.distrusting(&[fixture.issuer.key.kid()]);
    let distrusted = fixture.verifier(fixture.issuer.terms.clone(), distrusted);
    let failure = fixture.verify(&distrusted, NOW).unwrap_err();
    assert_eq!(failure.error, TokenError::KeyDistrusted);
}

#[test]
fn other_material_under_the_same_kid_is_another_key() {
    let fixture = Fixture::new();
    fixture.verify(&fixture.usual(), NOW).unwrap();
    let mut forged = TestIssuer::new(Algorithm::Es256).key.public_jwk();
    forged["kid"] = json!(fixture.issuer.key.kid());
    let document = json!({ "keys": [forged] }).to_string();
    let (keys, _) = KeySet::parse(document.as_bytes(), &[Algorithm::Es256]).unwrap();
    let replaced = fixture.verifier(fixture.issuer.terms.clone(), keys);
    let failure = fixture.verify(&replaced, NOW).unwrap_err();
    assert_eq!(failure.error, TokenError::SignatureInvalid);
}

#[test]
fn changed_terms_are_applied_to_remembered_tokens() {
    type Change = fn(&mut IssuerTerms);
    let changes: [(Change, TokenError); 4] = [
        (
            |terms| terms.audiences = vec!["other".into()],
            TokenError::AudienceMismatch,
        ),
        (
            |terms| terms.types = vec!["x".into()],
            TokenError::TypeRefused,
        ),
        (
            |terms| terms.lifetime_max = Duration::from_secs(60),
            TokenError::LifetimeExceeded,
        ),
        (
            |terms| terms.algorithms = vec![Algorithm::EdDsa],
            TokenError::AlgorithmRefused,
        ),
    ];
    for (change, expected) in changes {
        let fixture = Fixture::new();
        fixture.verify(&fixture.usual(), NOW).unwrap();
        let mut terms = fixture.issuer.terms.clone();
        change(&mut terms);
        let keys = KeySet::from_signing_keys([&fixture.issuer.key]);
        let changed = fixture.verifier(terms, keys);
        assert_eq!(fixture.verify(&changed, NOW).unwrap_err().error, expected);
    }
}

#[test]
fn a_route_that_takes_other_issuers_refuses_a_remembered_token() {
    let fixture = Fixture::new();
    let verifier = fixture.usual();
    fixture.verify(&verifier, NOW).unwrap();
    let token = BearerToken::from_compact(&fixture.token).unwrap();
    let now = Timestamp::from_secs(NOW);
    let verify = |names: &[Arc<str>]| verifier.verify(token, Some(names), now);
    assert!(verify(&["main".into()]).is_ok());
    for names in [vec![], vec!["partner".into()]] {
        assert_eq!(verify(&names).unwrap_err().error, TokenError::IssuerUnknown);
    }
}

#[test]
fn what_was_refused_is_not_remembered() {
    let fixture = Fixture::new();
    let verifier = fixture.usual();
    for changes in [
        json!({"aud": "x"}),
        json!({"exp": NOW - 60}),
        json!({"sub": 7}),
    ] {
        let token = fixture.issuer.sign(&claims_with(&changes));
        let token = BearerToken::from_compact(&token).unwrap();
        let verdict = verifier.verify(token, None, Timestamp::from_secs(NOW));
        assert!(verdict.is_err());
    }
    assert!(fixture.cache.is_empty());
}

#[test]
fn the_cache_is_bounded() {
    let cache = Arc::new(VerifiedTokens::new(10, [7; 32]));
    let terms = Arc::new(terms(
        "main",
        "https://auth.example.com",
        &[Algorithm::Hs256],
    ));
    let mut ring = KeyRing::default();
    ring.insert("main".into(), Arc::new(hs256_keys()));
    let verifier = Verifier::new(vec![terms], &ring, cache.clone());
    for index in 0..100 {
        let claims = claims_with(&json!({ "jti": format!("t-{index}") })).to_string();
        let token = hs256(r#"{"alg":"HS256"}"#, &claims);
        let token = BearerToken::from_compact(&token).unwrap();
        verifier
            .verify(token, None, Timestamp::from_secs(NOW))
            .unwrap();
        assert!(cache.len() <= 10);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, failure_persistence: None, ..ProptestConfig::default() })]

    /// Tokens that differ a little each keep their own subject, in any order and again.
    #[test]
    fn no_token_is_taken_for_another(subjects in prop::collection::vec("[ab]{1,3}", 1..20)) {
        let terms = Arc::new(terms("main", "https://auth.example.com", &[Algorithm::Hs256]));
        let mut ring = KeyRing::default();
        ring.insert("main".into(), Arc::new(hs256_keys()));
        let verifier = Verifier::new(vec![terms], &ring, cache());
        for subject in subjects.iter().chain(subjects.iter().rev()) {
            let claims = claims_with(&json!({ "sub": subject })).to_string();
            let token = hs256(r#"{"alg":"HS256"}"#, &claims);
            let token = BearerToken::from_compact(&token).unwrap();
            let verified = verifier.verify(token, None, Timestamp::from_secs(NOW)).unwrap();
            prop_assert_eq!(&*verified.principal().subject, subject.as_str());
        }
    }

    /// One changed character anywhere, with the original remembered: never verified.
    #[test]
    fn a_token_with_one_changed_character_never_verifies(
        position in any::<prop::sample::Index>(),
        replacement in "[A-Za-z0-9_.-]",
    ) {
        let fixture = fixture();
        let verifier = fixture.usual();
        fixture.verify(&verifier, NOW).unwrap();
        let position = position.index(fixture.token.len());
        let mut changed = fixture.token.clone();
        changed.replace_range(position..=position, &replacement);
        prop_assume!(changed != fixture.token);
        let token = BearerToken::from_compact(&changed).unwrap();
        prop_assert!(verifier.verify(token, None, Timestamp::from_secs(NOW)).is_err());
    }
}

/// One token for all cases: its key is made once.
fn fixture() -> &'static Fixture {
    static FIXTURE: std::sync::LazyLock<Fixture> = std::sync::LazyLock::new(Fixture::new);
    &FIXTURE
}
