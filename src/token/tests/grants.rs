//! Where a token keeps products, scopes and tenant.

use serde_json::{Value, json};

use super::issuer::{NOW, claims_with, hs256, hs256_keys, terms, verifier, verify};
use crate::principal::Entitlement;
use crate::token::{Algorithm, ClaimPath, TokenError, Verified};

fn verify_at(path: &str, changes: &Value) -> Result<Verified, TokenError> {
    let mut terms = terms("main", "https://auth.example.com", &[Algorithm::Hs256]);
    terms.products = ClaimPath::parse(path).unwrap();
    let verifier = verifier(terms, hs256_keys());
    let token = hs256(r#"{"alg":"HS256"}"#, &claims_with(changes).to_string());
    verify(&verifier, &token, NOW)
}

#[track_caller]
fn check(path: &str, changes: Value, expected: &[&str]) {
    let verified = verify_at(path, &changes).unwrap();
    let products: Vec<&str> = verified.principal().products.iter().collect();
    assert_eq!(products, expected, "{changes}");
}

#[test]
fn products_are_a_list_a_text_or_the_names_of_an_object() {
    check(
        "products",
        json!({"products": ["crm", "wiki"]}),
        &["crm", "wiki"],
    );
    check("products", json!({"products": []}), &[]);
    check(
        "products",
        json!({"products": "crm wiki"}),
        &["crm", "wiki"],
    );
    check(
        "products",
        json!({"products": "crm,wiki"}),
        &["crm", "wiki"],
    );
    check(
        "products",
        json!({"products": " crm,  wiki,"}),
        &["crm", "wiki"],
    );
    check("products", json!({"products": ""}), &[]);
    check(
        "products",
        json!({"products": {"crm": {}, "wiki": true}}),
        &["crm", "wiki"],
    );
    check(
        "products",
        json!({"products": {"crm": false, "wiki": null}}),
        &[],
    );
    check("products", json!({"products": "\0"}), &[]);
}

#[test]
fn products_are_found_at_any_path() {
    check(
        "app.products",
        json!({"app": {"products": ["crm"]}}),
        &["crm"],
    );
    check("a.b.c", json!({"a": {"b": {"c": "crm"}}}), &["crm"]);
    check("app.products", json!({"app": {}}), &[]);
    check("app.products", json!({"app.products": ["crm"]}), &[]);
    check(
        "https://example.com/products",
        json!({"https://example.com/products": ["crm"]}),
        &["crm"],
    );
    for app in [json!(null), json!("x"), json!(["products"])] {
        assert!(matches!(
            verify_at("app.products", &json!({ "app": app })),
            Err(TokenError::ClaimInvalid(_))
        ));
    }
}

#[test]
fn an_element_of_a_list_is_one_product_or_none() {
    let verified = verify_at(
        "products",
        &json!({"products": ["crm,admin", "wiki", "a b", ""]}),
    );
    let verified = verified.unwrap();
    let products = &verified.principal().products;
    assert_eq!(products.iter().collect::<Vec<_>>(), ["wiki"]);
    assert!(products.has_unsound());
    for name in ["crm", "admin", "a", "b"] {
        assert!(!products.contains(&Entitlement::parse(name).unwrap()));
    }
}

#[test]
fn what_could_not_be_a_products_name_is_none_in_a_token_either() {
    let longest = "x".repeat(Entitlement::BYTES_MAX);
    for (name, sound) in [
        (longest.as_str(), true),
        (&format!("{longest}x"), false),
        ("café", true),
        ("a\0b", false),
        ("a\u{7f}b", false),
        ("a\u{85}b", false),
        ("a\tb", false),
        ("a\u{a0}b", false),
        ("a\u{3000}b", false),
    ] {
        assert_eq!(Entitlement::parse(name).is_ok(), sound, "{name:?}");
        let verified = verify_at("products", &json!({"products": ["crm", name]})).unwrap();
        let products = &verified.principal().products;
        assert_eq!(products.has_unsound(), !sound, "{name:?}");
        assert_eq!(products.iter().count(), 1 + usize::from(sound), "{name:?}");
    }
}

#[test]
fn a_list_of_scopes_reads_like_the_text() {
    for scope in [
        json!("crm.read crm.write"),
        json!(["crm.read", "crm.write"]),
        json!(" crm.read  crm.write "),
    ] {
        let verified = verify_at("products", &json!({ "scope": scope })).unwrap();
        let scopes = verified.principal().scopes.as_ref().unwrap();
        assert_eq!(scopes.as_str(), "crm.read crm.write");
        assert!(scopes.contains("crm.write") && !scopes.contains("crm"));
    }
    let spaces = verify_at("products", &json!({"scope": "  "})).unwrap();
    assert_eq!(spaces.principal().scopes, None);
}
