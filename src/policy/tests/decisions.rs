//! Decisions: every requirement against every caller, and the order in which a caller is refused.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::route;
use crate::policy::{Caller, Denial, Mode, Pass, Permit, Requirement, Route, decide};
use crate::principal::{Entitlement, Entitlements};
use crate::time::Timestamp;
use crate::token::{
    Algorithm, BearerToken, ClaimPath, IssuerTerms, KeyRing, KeySet, SigningKey, Verified,
    VerifiedTokens, Verifier,
};

const PRODUCTS: [&str; 3] = ["crm", "CRM", "crm.pro"];
const NOW: u64 = 1_700_000_000;

/// Every subset of the three products.
fn subsets() -> impl Iterator<Item = Vec<&'static str>> {
    (0..8).map(|bits| {
        let chosen = PRODUCTS
            .iter()
            .enumerate()
            .filter(|(at, _)| bits >> at & 1 == 1);
        chosen.map(|(_, name)| *name).collect()
    })
}

fn entitlements(names: &[&str]) -> Vec<Entitlement> {
    names
        .iter()
        .map(|name| Entitlement::parse(name).unwrap())
        .collect()
}

/// The oracle: the product of which `held` lacks, if any.
type Lacks = Box<dyn Fn(&[&str]) -> Option<&'static str>>;

/// Every requirement over the three products, each with its oracle.
fn requirements() -> Vec<(Requirement, Lacks)> {
    let mut all: Vec<(Requirement, Lacks)> = vec![
        (Requirement::Public, Box::new(|_| None)),
        (Requirement::Authenticated, Box::new(|_| None)),
    ];
    for wanted in subsets().filter(|wanted| !wanted.is_empty()) {
        let names = wanted.clone();
        let lacks = move |held: &[&str]| names.iter().find(|name| !held.contains(name)).copied();
        all.push((Requirement::AllOf(entitlements(&wanted)), Box::new(lacks)));
        let names = wanted.clone();
        let lacks = move |held: &[&str]| {
            let none = names.iter().all(|name| !held.contains(name));
            none.then(|| names[0])
        };
        all.push((Requirement::AnyOf(entitlements(&wanted)), Box::new(lacks)));
    }
    all
}

#[test]
fn every_requirement_is_met_by_exactly_the_sets_that_meet_it() {
    for (requirement, lacks) in requirements() {
        for held in subsets() {
            let missing = requirement
                .met_by(&Entitlements::from_names(held.iter().copied()))
                .err()
                .map(Entitlement::as_str);
            assert_eq!(missing, lacks(&held), "{requirement:?} of {held:?}");
        }
    }
}

#[test]
fn every_requirement_decides_over_verified_tokens_alike() {
    let issuer = Issuer::new();
    for held in subsets() {
        let caller = Caller::Known(issuer.verified(&json!({ "products": held })));
        for (requirement, lacks) in requirements() {
            let is_public = requirement == Requirement::Public;
            let route = Arc::new(Route {
                requirement,
                ..route("r", "", "/*", &[])
            });
            match decide(&route, "/", caller.clone()) {
                Ok(permit) => {
                    assert_eq!(lacks(&held), None);
                    assert_eq!(permit.verified().is_none(), is_public);
                    assert_eq!(&*permit.route().name, "r");
                }
                Err(denial) => {
                    let missing = lacks(&held)
                        .map(|name| Denial::ProductMissing(Entitlement::parse(name).unwrap()));
                    assert_eq!(Some(denial), missing);
                }
            }
        }
    }
}

#[test]
fn nobody_passes_where_somebody_is_required() {
    for (requirement, _) in requirements() {
        let is_public = requirement == Requirement::Public;
        let route = Arc::new(Route {
            requirement,
            ..route("r", "", "/*", &[])
        });
        let decided = decide(&route, "/", Caller::Anonymous);
        assert_eq!(decided.is_ok(), is_public);
        assert!(decided.is_err() || matches!(decided.unwrap().pass(), Pass::Public));
    }
}

#[test]
fn products_are_elements_never_parts_of_a_text() {
    let issuer = Issuer::new();
    let route = Arc::new(Route {
        requirement: Requirement::AllOf(entitlements(&["crm"])),
        ..route("r", "", "/*", &[])
    });
    let rows = [
        (json!(["crm"]), true),
        (json!(["billing", "crm"]), true),
        (json!(["crm,billing"]), false),
        (json!(["crm billing"]), false),
        (json!([" crm"]), false),
        (json!(["crm\n"]), false),
        (json!(["CRM"]), false),
        (json!(["crm.pro"]), false),
        (json!(["cr"]), false),
        (json!([""]), false),
        (json!([]), false),
    ];
    for (products, expected) in rows {
        let caller = Caller::Known(issuer.verified(&json!({ "products": products })));
        assert_eq!(decide(&route, "/", caller).is_ok(), expected, "{products}");
    }
}

#[test]
fn issuer_product_scope_and_tenant_are_asked_in_this_order() {
    let issuer = Issuer::new();
    let full = Route {
        requirement: Requirement::AllOf(entitlements(&["crm"])),
        scopes: vec!["a".into(), "b".into()],
        tenant: Some("t".into()),
        issuers: Some(vec!["main".into()]),
        ..route("r", "", "/t/{t}/*", &[])
    };
    let other_issuer = Route {
        issuers: Some(vec!["other".into()]),
        ..full.clone()
    };
    let product = Denial::ProductMissing(Entitlement::parse("crm").unwrap());
    let scopes = Denial::ScopeMissing(vec!["a".into(), "b".into()]);
    let nothing = json!({ "products": [] });
    let of = |scope: &str| json!({ "products": ["crm"], "scope": scope, "tenant": "acme" });
    let rows = [
        (
            &other_issuer,
            "/t/acme",
            of("a b"),
            Err(Denial::IssuerRefused),
        ),
        (&full, "/t/other", nothing, Err(product)),
        (&full, "/t/other", of("a"), Err(scopes.clone())),
        (&full, "/t/acme", of("a bb"), Err(scopes)),
        (&full, "/t/other", of("a b"), Err(Denial::TenantMismatch)),
        (&full, "/t/ACME", of("a b"), Err(Denial::TenantMismatch)),
        (&full, "/t/acme;x", of("a b"), Err(Denial::TenantMismatch)),
        (
            &full,
            "/t/acme",
            json!({ "products": ["crm"], "scope": "a b" }),
            Err(Denial::TenantMismatch),
        ),
        (
            &full,
            "/t/acme;x",
            json!({ "products": ["crm"], "scope": "a b", "tenant": "acme;x" }),
            Err(Denial::TenantMismatch),
        ),
        (&full, "/t/acme", of("b a"), Ok(())),
        (&full, "/t/acme/b", of("c b a"), Ok(())),
    ];
    for (route, path, claims, expected) in rows {
        let caller = Caller::Known(issuer.verified(&claims));
        let decided = decide(&Arc::new(route.clone()), path, caller).map(drop);
        assert_eq!(decided, expected, "{path} {claims}");
    }
}

#[test]
fn only_a_shadow_route_gives_a_shadow_permit_and_it_names_nobody() {
    let enforcing = Arc::new(route("r", "", "/*", &[]));
    assert!(Permit::shadow(&enforcing).is_none());
    let shadow = Arc::new(Route {
        mode: Mode::Shadow,
        ..route("r", "", "/*", &[])
    });
    let permit = Permit::shadow(&shadow).expect("a permit");
    assert!(permit.verified().is_none() && matches!(permit.pass(), Pass::Shadow));
}

/// An issuer of real tokens, since nothing else makes a verified one.
struct Issuer {
    key: SigningKey,
    verifier: Verifier,
}

impl Issuer {
    fn new() -> Self {
        let pem = SigningKey::generate_pem(Algorithm::EdDsa).unwrap();
        let key = SigningKey::from_pem(&pem).unwrap();
        let claim = |name| ClaimPath::parse(name).unwrap();
        let terms = Arc::new(IssuerTerms {
            name: "main".into(),
            issuer: "https://auth.example.com".into(),
            audiences: vec!["api".into()],
            algorithms: vec![Algorithm::EdDsa],
            types: vec!["JWT".into()],
            leeway: Duration::ZERO,
            lifetime_max: Duration::from_secs(60),
            products: claim("products"),
            scopes: claim("scope"),
            tenant: claim("tenant"),
        });
        let mut keys = KeyRing::default();
        keys.insert(
            terms.name.clone(),
            Arc::new(KeySet::from_signing_keys([&key])),
        );
        let cache = Arc::new(VerifiedTokens::new(8, [0; 32]));
        let verifier = Verifier::new(vec![terms], &keys, cache);
        Self { key, verifier }
    }

    fn verified(&self, claims: &Value) -> Verified {
        let mut all = json!({
            "iss": "https://auth.example.com", "aud": "api", "sub": "somebody",
            "iat": NOW, "exp": NOW + 60,
        });
        let all_claims = all.as_object_mut().unwrap();
        all_claims.extend(claims.as_object().unwrap().clone());
        let token = self.key.sign("JWT", &all);
        let bearer = BearerToken::from_compact(&token).unwrap();
        let verified = self
            .verifier
            .verify(bearer, None, Timestamp::from_secs(NOW));
        verified
            .map_err(|failure| failure.error)
            .expect("a sound token")
    }
}
