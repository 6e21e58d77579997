//! The clients of a configuration, and what a call shows of its own (RFC 6749 §2.3).

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header;
use subtle::ConstantTimeEq;

use super::assertion::{self, Assertions};
use super::call::{Call, Content, agreed};
use super::failure::Failure;
use super::form::{Form, decode};
use crate::config::model::{Client, Sessions};

/// The clients of one configuration.
pub(super) struct Clients {
    by_id: HashMap<Arc<str>, Arc<Client>>,
    pub(super) assertions: Assertions,
}

/// What a call shows to prove its client.
pub(super) enum Proof {
    None,
    Secret(String),
    Assertion(String),
}

impl Clients {
    pub(super) fn new(sessions: &Sessions) -> Self {
        let clients = sessions.clients.iter();
        Self {
            by_id: clients
                .map(|client| (client.id.clone(), client.clone()))
                .collect(),
            assertions: Assertions::new(sessions),
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<&Arc<Client>> {
        self.by_id.get(id)
    }
}

/// The name and the proof that a call shows. More than one proof is a fault (RFC 6749 §2.3).
pub(super) fn shown(
    call: &Call<'_>,
    content: &Content,
) -> Result<(Option<String>, Proof), Failure> {
    let none = Form::default();
    let form = content.form().unwrap_or(&none);
    let basic = basic(call)?;
    let secret = form.find("client_secret")?;
    let assertion = form.find("client_assertion")?;
    let ways = [basic.is_some(), secret.is_some(), assertion.is_some()];
    if ways.into_iter().filter(|shown| *shown).count() > 1 {
        return Err(Failure::InvalidRequest("two ways of client authentication"));
    }
    if assertion.is_some() && form.find("client_assertion_type")? != Some(assertion::TYPE) {
        return Err(Failure::InvalidRequest(
            "the client_assertion_type is not supported",
        ));
    }
    let named = call.client_id(content)?;
    Ok(match (basic, secret, assertion) {
        (Some((id, secret)), ..) => (agreed([named, Some(id)])?, Proof::Secret(secret)),
        (_, Some(secret), _) => (named, Proof::Secret(secret.to_owned())),
        // One that speaks for another than is named proves nothing, and its check says so (RFC 7521 §4.2).
        (.., Some(assertion)) => (
            named.or_else(|| assertion::subject(assertion)),
            Proof::Assertion(assertion.to_owned()),
        ),
        _ => (named, Proof::None),
    })
}

/// Name and secret of `Authorization: Basic`, both form-encoded inside (RFC 6749 §2.3.1).
fn basic(call: &Call<'_>) -> Result<Option<(String, String)>, Failure> {
    let Some(value) = call.field(&header::AUTHORIZATION)? else {
        return Ok(None);
    };
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let pair = BASE64_STANDARD.decode(rest.trim()).ok();
    let pair = pair.and_then(|pair| {
        let colon = pair.iter().position(|byte| *byte == b':')?;
        decode(&pair[..colon]).zip(decode(&pair[colon + 1..]))
    });
    pair.map(Some).ok_or(Failure::InvalidClient)
}

pub(super) fn check_secret(sha256: &[u8; 32], secret: &str) -> Result<(), Failure> {
    let shown = digest(&SHA256, secret.as_bytes());
    match bool::from(shown.as_ref().ct_eq(sha256)) {
        true => Ok(()),
        false => Err(Failure::InvalidClient),
    }
}
