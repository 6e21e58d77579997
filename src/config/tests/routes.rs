//! What is said about routes: whom they let in, what they match, and whom they are in the way of.

use super::support::{ISSUER, ROUTE, SOUND, found, inside, replaced, says, with};

#[test]
fn a_route_says_whom_it_lets_in() {
    let product = "product = \"crm\"";
    says(
        &replaced(product, ""),
        &["product_unused", "access_missing"],
    );
    says(
        &replaced(product, "any_product = []"),
        &["product_unused", "value_empty"],
    );
    says(&replaced(product, "any_product = [\"crm\"]"), &[]);
    says(&replaced(product, "all_products = [\"crm\"]"), &[]);
    says(
        &inside(ROUTE, "any_product = [\"crm\"]"),
        &["access_conflict"],
    );
    says(
        &inside(ROUTE, "access = \"public\""),
        &["issuer_unused", "access_conflict"],
    );
    says(
        &inside(ROUTE, "access = \"authenticated\""),
        &["access_conflict"],
    );
    for (beside, expected) in [
        (
            "scopes = [\"a\"]",
            &["issuer_unused", "product_unused", "access_conflict"][..],
        ),
        (
            "tenant = \"path:a\"",
            &[
                "issuer_unused",
                "product_unused",
                "access_conflict",
                "tenant_unmatched",
            ],
        ),
        (
            "issuers = [\"main\"]",
            &["product_unused", "access_conflict"],
        ),
    ] {
        says(
            &replaced(product, &format!("access = \"public\"\n{beside}")),
            expected,
        );
    }
    says(
        &replaced(product, "access = \"authenticated\"\nscopes = [\"a\"]"),
        &["product_unused"],
    );
    says(&inside(ROUTE, "access = \"Public\""), &["word_unknown"]);
    says(&inside(ROUTE, "scopes = [\"a b\"]"), &["scope_invalid"]);
    says(&inside(ROUTE, "mode = \"shadow\""), &["shadow_mode"]);
    says(&inside(ROUTE, "tenant = \"header:x\""), &["tenant_invalid"]);
    says(&inside(ROUTE, "tenant = \"path:t\""), &["tenant_unmatched"]);
    says(
        &inside(ROUTE, "tenant = \"path:t\"").replace("/crm/*", "/crm/{t}/*"),
        &[],
    );
    let no_issuer = format!(
        "{}{}",
        &SOUND[..SOUND.find(ISSUER).unwrap()],
        &SOUND[SOUND.find("[products").unwrap()..]
    );
    says(&no_issuer, &["issuer_missing"]);
}

#[test]
fn a_policy_whose_pages_cannot_send_their_token_is_told_of() {
    let policy = "[cors.app]\norigins = [\"https://app.example.com\"]\n";
    let house = inside(ROUTE, "cors = \"app\"") + policy;
    says(&house, &["cors_tokenless"]);
    says(&format!("{house}headers = [\"x-a\"]"), &["cors_tokenless"]);
    says(&format!("{house}headers = [\"AUTHORIZATION\"]"), &[]);
    says(
        &format!("{house}headers = [\"*\"]"),
        &["cors_tokenless", "header_invalid"],
    );
    let public = house.replace("product = \"crm\"", "access = \"public\"");
    says(&public, &["issuer_unused", "product_unused"]);
}

#[test]
fn a_route_matches_what_a_canonical_path_can_be() {
    says(&replaced("/crm/*", "crm"), &["path_invalid"]);
    says(&replaced("/crm/*", "/crm*"), &["path_invalid"]);
    says(&replaced("/crm/*", "/a//b"), &["path_invalid"]);
    says(&replaced("/crm/*", "/a/%41"), &["path_invalid"]);
    says(&replaced("/crm/*", "/my files/*"), &[]);
    says(&replaced("/crm/*", "/crm "), &["path_invalid"]);
    says(&inside(ROUTE, "methods = [\"get\"]"), &["method_invalid"]);
    says(
        &inside(ROUTE, "methods = [\"CONNECT\"]"),
        &["method_invalid"],
    );
    says(&inside(ROUTE, "methods = []"), &["value_empty"]);
    says(&inside(ROUTE, "methods = [\"GET\", \"GET\"]"), &[]);
    says(&inside(ROUTE, "methods = [\"*\"]"), &["method_invalid"]);
    says(&inside(ROUTE, "strip_prefix = \"/crm\""), &[]);
    for prefix in ["/cr", "/crm/", "/", "crm", "/other", "/crm/*"] {
        says(
            &inside(ROUTE, &format!("strip_prefix = \"{prefix}\"")),
            &["strip_prefix_invalid"],
        );
    }
}

#[test]
fn routes_that_tie_are_a_fault_that_names_both() {
    let second = "[routes.second]\npath = \"/crm/*\"\naccess = \"public\"\nupstream = \"crm\"";
    let text = with(second);
    says(&text, &["route_tie"]);
    let tie = &found(&text)[0];
    assert!(
        tie.message.contains("`crm` and `second`"),
        "{}",
        tie.message
    );
    assert_eq!(tie.also.len(), 1);
    // So they are though one of them has another fault, unless it is about which requests it is for.
    let text = text.replace("\"public\"", "\"pubic\"");
    says(&text, &["route_tie", "word_unknown"]);
    let text = with(&second.replace("upstream = \"crm\"", "upstream = \"cmr\""));
    says(&text, &["route_tie", "upstream_unknown"]);
    let text = with(&format!("{second}\nmethods = [\"get\"]"));
    says(&text, &["method_invalid"]);
    let text = with(&format!("{second}\nhosts = [\"a:80\"]"));
    says(&text, &["host_invalid"]);
    says(&with(&format!("{second}\nmethods = [\"GET\"]")), &[]);
    says(&with(&format!("{second}\nhosts = [\"a.example\"]")), &[]);
}

#[test]
fn the_gates_own_paths_are_nobody_elses() {
    let identity = "[identity]\nissuer = \"g\"\nsigning_key = \"file:identity.pem\"";
    says(
        &with(identity).replace("/crm/*", "/.well-known/*"),
        &["endpoint_overlap"],
    );
    says(&SOUND.replace("/crm/*", "/.well-known/*"), &[]);
    says(&with(identity).replace("/crm/*", "/*"), &[]);
}
