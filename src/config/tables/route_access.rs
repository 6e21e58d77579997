//! What `[routes.NAME]` demands of a caller. Absent means deny: a route says whom it lets in, or it is a fault.

use std::sync::Arc;

use super::read::{entitlement, scope};
use crate::config::diagnostic::Diagnostic;
use crate::config::names::Known;
use crate::config::table::Table;
use crate::config::value::Value;
use crate::policy::{PathPattern, Requirement};
use crate::principal::Entitlement;
use crate::session::OWN_ISSUER;

/// The demands of one route.
pub(super) struct Access {
    pub(super) requirement: Requirement,
    pub(super) scopes: Vec<Box<str>>,
    pub(super) tenant: Option<Box<str>>,
    pub(super) issuers: Option<Vec<Arc<str>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Entitled,
    Authenticated,
    Public,
}

const WORDS: [(&str, Word); 3] = [
    ("entitled", Word::Entitled),
    ("authenticated", Word::Authenticated),
    ("public", Word::Public),
];

const ACCESS_HELP: &str = "name what opens it: product = \"…\" (or any_product, all_products), \
                           access = \"authenticated\" for any valid token, or access = \"public\" for no token at all";

/// Reads what the route demands. `path` is `None` when it is at fault itself.
pub(super) fn access<'w>(
    table: &Table<'w>,
    known: &Known<'w>,
    path: Option<&PathPattern>,
) -> Option<Access> {
    let word = match table.take("access") {
        Some(value) => value.word(&WORDS),
        None => Some(Word::Entitled),
    };
    let products = products(table, known);
    let scopes = table.read_or("scopes", Vec::new(), |value| value.list(scope));
    let tenant = table.read("tenant", |value| tenant(value, path));
    let issuers = issuers(table, known, word);
    let requirement = match word? {
        Word::Entitled if !PRODUCT_KEYS.iter().any(|key| table.has(key)) => {
            let message = "this route says nobody may use it: no product is named";
            return table.refuse("access_missing", message, ACCESS_HELP);
        }
        Word::Entitled => products?,
        Word::Authenticated => {
            reject(
                table,
                &PRODUCT_KEYS,
                "access = \"authenticated\" asks for no product",
            );
            Requirement::Authenticated
        }
        Word::Public => {
            reject(
                table,
                &PRODUCT_KEYS,
                "access = \"public\" asks for no product",
            );
            reject(
                table,
                &["scopes", "tenant", "issuers"],
                "access = \"public\" looks at no token",
            );
            Requirement::Public
        }
    };
    Some(Access {
        requirement,
        scopes,
        tenant,
        issuers,
    })
}

const PRODUCT_KEYS: [&str; 3] = ["product", "any_product", "all_products"];

/// The products that open the route; `None` when none is named or they are at fault.
fn products<'w>(table: &Table<'w>, known: &Known<'w>) -> Option<Requirement> {
    let product = |value: &Value<'w>| {
        known.products.find(value)?;
        entitlement(value)
    };
    let one = table.read("product", |value| {
        Some(Requirement::AllOf(vec![product(value)?]))
    });
    let any = table.read("any_product", |value| {
        value.some(product).map(Requirement::AnyOf)
    });
    let all = table.read("all_products", |value| {
        value.some(product).map(Requirement::AllOf)
    });
    let present: Vec<_> = PRODUCT_KEYS
        .into_iter()
        .filter(|key| table.has(key))
        .collect();
    if let [first, second, ..] = *present.as_slice() {
        let message = format!("`{first}` and `{second}` are both there");
        let help = "write one of them: `product`, `any_product` (at least one) or `all_products` (every one)";
        let fault = Diagnostic::fault("access_conflict", table.span_of(second), message, help);
        table.walk.report(fault.and(table.span_of(first)));
        return None;
    }
    one.or(any).or(all)
}

fn issuers<'w>(table: &Table<'w>, known: &Known<'w>, word: Option<Word>) -> Option<Vec<Arc<str>>> {
    match table.take("issuers") {
        Some(value) => {
            let names = value.some(|name| known.issuers.find(name))?;
            let own = |name: &str| {
                if known.own == Some(name) {
                    OWN_ISSUER
                } else {
                    name
                }
                .into()
            };
            Some(names.into_iter().map(own).collect())
        }
        None => {
            if word != Some(Word::Public) {
                known.issuers.use_all();
            }
            None
        }
    }
}

fn tenant(value: &Value<'_>, path: Option<&PathPattern>) -> Option<Box<str>> {
    let help = "write tenant = \"path:NAME\" with a {NAME} in the path";
    let name = value.line()?.strip_prefix("path:").unwrap_or_default();
    if name.is_empty() {
        let message = "`tenant` does not say where the tenant is";
        return value.refuse("tenant_invalid", message, help);
    }
    if let Some(path) = path
        && !path.has_parameter(name)
    {
        let message = format!(
            "the path `{}` has no `{{{name}}}`: every token is refused as `tenant_mismatch`",
            path.as_str()
        );
        value.warn("tenant_unmatched", message, help);
    }
    Some(name.into())
}

/// Reports each of `keys` that stands beside an `access` it contradicts.
fn reject(table: &Table<'_>, keys: &[&'static str], why: &str) {
    // Without the word and without a product, nobody might use the route.
    let other = match PRODUCT_KEYS.iter().any(|key| table.has(key)) {
        true => "the `access` word",
        false => "write access = \"authenticated\"",
    };
    for key in keys.iter().filter_map(|key| table.take(key)) {
        let help = format!("remove `{}`, or {other}", key.key);
        let access = table.span_of("access");
        let fault = Diagnostic::fault("access_conflict", key.key_span, why, help);
        table.walk.report(fault.and(access));
    }
}

/// Product names of a client's own tokens.
pub(super) fn known_products<'w>(value: &Value<'w>, known: &Known<'w>) -> Option<Vec<Entitlement>> {
    value.list(|value| {
        known.products.find(value)?;
        entitlement(value)
    })
}
