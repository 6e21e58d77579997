//! What acts and questions say: JSON or a query in, something that makes sense out.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;

use super::super::session::find_in_form;
use super::fault::Fault;
use crate::api::object;
use crate::config::Config;
use crate::session::Revoked;

/// A key that is not to be trusted again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Distrust {
    pub(super) issuer: String,
    pub(super) kid: String,
}

/// `{"session": "…"}`, or `subject`, `client`, `tenant`, `entitlements`, `token`, `key`, or `"all": true`; and maybe `issuer`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    session: Option<String>,
    subject: Option<String>,
    client: Option<String>,
    tenant: Option<String>,
    entitlements: Option<String>,
    token: Option<String>,
    key: Option<String>,
    all: Option<bool>,
    issuer: Option<String>,
}

/// What is to be revoked, and of whom: exactly one thing, of an issuer that exists.
///
/// # Errors
/// 400 for anything else, 422 for another issuer.
pub(super) fn revoke(config: &Config, body: &Bytes) -> Result<(Revoked, Option<Arc<str>>), Fault> {
    let wish: Revoke = parse(body)?;
    let named = [
        wish.session.map(|value| Revoked::Session(value.into())),
        wish.subject.map(|value| Revoked::Subject(value.into())),
        wish.client.map(|value| Revoked::Client(value.into())),
        wish.tenant.map(|value| Revoked::Tenant(value.into())),
        wish.entitlements
            .map(|value| Revoked::Entitlements(value.into())),
        wish.token.map(|value| Revoked::Token(value.into())),
        wish.key.map(|value| Revoked::Key(value.into())),
        wish.all.filter(|all| *all).map(|_| Revoked::All),
    ];
    let mut named = named.into_iter().flatten();
    let (Some(what), None) = (named.next(), named.next()) else {
        return Err(Fault::bad(
            "name exactly one of session, subject, client, tenant, entitlements, token, key, all",
        ));
    };
    if what != Revoked::All && what.value().is_empty() {
        return Err(Fault::bad("what is revoked has no name"));
    }
    let issuer = wish.issuer.map(|name| issuer(config, &name)).transpose()?;
    Ok((what, issuer))
}

/// `{"sub_id": {"format": "iss_sub", "iss": "…", "sub": "…"}}` (draft-parecki-oauth-global-token-revocation, RFC 9493
/// §3.2.4).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokeGlobally {
    #[serde(deserialize_with = "object::member")]
    sub_id: IssSub,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssSub {
    format: String,
    iss: String,
    sub: String,
}

/// Whose tokens and sessions end, and of which issuer.
///
/// # Errors
/// 400 for anything else.
pub(super) fn revoke_globally(config: &Config, body: &Bytes) -> Result<(Revoked, Arc<str>), Fault> {
    let RevokeGlobally { sub_id } = parse(body)?;
    if sub_id.format != "iss_sub" || sub_id.sub.is_empty() {
        return Err(Fault::bad("`sub_id` names a subject by `iss` and `sub`"));
    }
    // The gate's own issuer is among them.
    let mut issuers = config.issuers.iter().map(|issuer| &issuer.terms);
    let named = issuers.find(|terms| *terms.issuer == *sub_id.iss);
    let terms = named.ok_or_else(|| Fault::bad("no issuer has this `iss`"))?;
    Ok((Revoked::Subject(sub_id.sub.into()), terms.name.clone()))
}

/// The one subject that a query asks for, as `sub=…`.
///
/// # Errors
/// 400 for anything else.
pub(super) fn subject(query: Option<&str>) -> Result<String, Fault> {
    let named = query.and_then(|query| find_in_form(query.as_bytes(), "sub"));
    named.ok_or_else(|| Fault::bad("name one subject: `?sub=…`"))
}

/// The issuer's name in the configuration, by that name or else by its `iss`: another issuer may use the name as its `iss`.
/// The gate's own issuer is among them.
fn issuer(config: &Config, named: &str) -> Result<Arc<str>, Fault> {
    let mut issuers = config.issuers.iter();
    let by_iss = || issuers.find(|issuer| *issuer.terms.issuer == *named);
    let found = config.issuer(named).or_else(by_iss);
    let issuer = found.ok_or_else(|| {
        Fault::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no issuer of that name is configured",
        )
    })?;
    Ok(issuer.terms.name.clone())
}

/// Reads a body.
///
/// # Errors
/// 400 with what is wrong.
pub(super) fn parse<'b, T: Deserialize<'b>>(body: &'b Bytes) -> Result<T, Fault> {
    object::read(body).map_err(|error| Fault::bad(error.to_string()))
}
