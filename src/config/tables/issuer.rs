//! `[issuers.NAME]`: whose tokens count, and on what terms.

use std::sync::Arc;
use std::time::Duration;

use super::issuer_keys::keys;
use super::read::claim_path;
use crate::config::model::Issuer;
use crate::config::nearest;
use crate::config::table::Table;
use crate::config::value::Value;
use crate::token::{Algorithm, ClaimPath, IssuerTerms};

/// Above this a clock is not wrong but broken.
const LEEWAY_USUAL_MAX: Duration = Duration::from_secs(60);

/// Above this a stolen token is good for too long.
const LIFETIME_USUAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads `[issuers.NAME]`.
pub(in crate::config) fn issuer(table: &Table<'_>) -> Option<Issuer> {
    let issuer = table.need(
        "issuer",
        "write what its tokens have as `iss`, exactly: issuer = \"https://auth.example.com\"",
        Value::line,
    );
    let audiences = table.need(
        "audiences",
        "say whom its tokens are for, or any token of it would pass: audiences = [\"https://api.example.com\"]",
        |value| value.some(Value::line),
    );
    let algorithms = table.need(
        "algorithms",
        "name what it signs with: algorithms = [\"ES256\"]",
        |value| value.some(algorithm),
    );
    let claims = claims(table.table("claims", "issuers.NAME.claims").as_ref());
    let types = table.read_or("types", vec!["at+jwt".into(), "JWT".into()], |value| {
        value.some(media_type)
    });
    let leeway = leeway(table);
    let lifetime_max = lifetime_max(table);
    let keys = keys(table, algorithms.as_deref());
    let [products, scopes, tenant] = claims;
    let terms = IssuerTerms {
        name: table.name.into(),
        issuer: issuer?.into(),
        audiences: audiences?.into_iter().map(Into::into).collect(),
        algorithms: algorithms?,
        types,
        leeway,
        lifetime_max,
        products,
        scopes,
        tenant,
    };
    Some(Issuer {
        terms: Arc::new(terms),
        keys: keys?,
    })
}

/// Where products, scopes and tenant are.
fn claims(table: Option<&Table<'_>>) -> [ClaimPath; 3] {
    let [products, scopes, tenant] = ["products", "scope", "tenant"].map(ClaimPath::of);
    match table {
        Some(table) => [
            table.read_or("products", products, claim_path),
            table.read_or("scopes", scopes, claim_path),
            table.read_or("tenant", tenant, claim_path),
        ],
        None => [products, scopes, tenant],
    }
}

pub(super) fn algorithm(value: &Value<'_>) -> Option<Algorithm> {
    let name = value.line()?;
    if let Some(algorithm) = Algorithm::from_name(name) {
        return Some(algorithm);
    }
    if name.eq_ignore_ascii_case("none") {
        let help = "remove it: a token without a signature can be written by anybody";
        return value.refuse(
            "algorithm_none",
            "`none` is not accepted, from nobody and never",
            help,
        );
    }
    let known = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str());
    let help = nearest::help(name, known, "write one of");
    value.refuse("algorithm_unknown", "there is no such algorithm here", help)
}

/// A `typ` without its `application/` (RFC 7515 §4.1.9).
fn media_type(value: &Value<'_>) -> Option<Box<str>> {
    let text = value.line()?;
    let prefix = "application/".len();
    let bare = match text.get(..prefix) {
        Some(head) if head.eq_ignore_ascii_case("application/") => &text[prefix..],
        _ => text,
    };
    Some(bare.into())
}

fn leeway(table: &Table<'_>) -> Duration {
    let leeway = table.read_or("leeway", Duration::from_secs(5), Value::duration);
    if leeway > LEEWAY_USUAL_MAX {
        let message = "`leeway` is over 60s: expired tokens live on by as much";
        table.warn(
            "leeway",
            "leeway_long",
            message,
            "set the clocks right and write \"5s\"",
        );
    }
    leeway
}

fn lifetime_max(table: &Table<'_>) -> Duration {
    let lifetime = table.read_or("lifetime_max", Duration::from_secs(3600), Value::span);
    if lifetime > LIFETIME_USUAL_MAX {
        let message = "`lifetime_max` is over 24h: a stolen token is good for as long";
        table.warn(
            "lifetime_max",
            "lifetime_long",
            message,
            "write \"15m\" where the provider can, \"1h\" elsewhere",
        );
    }
    lifetime
}
