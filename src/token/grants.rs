//! What a token grants, at the places that the operator named: products, scopes and tenant. Reads types and shapes; what a
//! product's name may be is the principal's knowledge.

use super::failure::TokenError;
use super::json::{Json, Object};
use super::terms::ClaimPath;
use super::text::is_carried_whole;
use crate::principal::{Entitlements, Scopes};

/// The products: a list of texts, each one element; one text, split at spaces and commas; or an object whose names are
/// products (a name whose value is `false` or `null` is not held). Absent: none.
///
/// # Errors
/// [`TokenError::ClaimInvalid`] for any other type.
pub(super) fn products(claims: &Object<'_>, path: &ClaimPath) -> Result<Entitlements, TokenError> {
    const INVALID: TokenError = TokenError::ClaimInvalid("the products have the wrong type");
    match walk(claims, path)? {
        None => Ok(Entitlements::default()),
        Some(Json::List(elements)) => Ok(Entitlements::from_names(texts(elements).ok_or(INVALID)?)),
        Some(Json::Text(text)) => {
            let names = text.split([' ', ',']).filter(|name| !name.is_empty());
            Ok(Entitlements::from_names(names))
        }
        Some(Json::Object(members)) => {
            let held = members
                .iter()
                .filter(|(_, value)| !matches!(value, Json::Null | Json::Bool(false)));
            Ok(Entitlements::from_names(held.map(|(name, _)| name)))
        }
        Some(_) => Err(INVALID),
    }
}

/// The scopes: one space-separated text (RFC 6749 §3.3), or a list of texts of which each is one scope. Some providers write
/// spaces at a text's edge, which no header carries: they separate nothing.
///
/// # Errors
/// [`TokenError::ClaimInvalid`] for any other type, a control character, or a list's element that is not one scope.
pub(super) fn scopes(claims: &Object<'_>, path: &ClaimPath) -> Result<Option<Scopes>, TokenError> {
    const INVALID: TokenError = TokenError::ClaimInvalid("the scopes have the wrong type or value");
    let scopes = match walk(claims, path)? {
        None => return Ok(None),
        Some(Json::Text(text)) => text.split(' ').filter(|scope| !scope.is_empty()).collect(),
        Some(Json::List(elements)) => {
            let scopes = texts(elements).ok_or(INVALID)?;
            if scopes
                .iter()
                .any(|scope| scope.is_empty() || scope.contains(' '))
            {
                return Err(INVALID);
            }
            scopes
        }
        Some(_) => return Err(INVALID),
    };
    let joined = scopes.join(" ");
    if joined.contains(char::is_control) {
        return Err(INVALID);
    }
    Ok((!joined.is_empty()).then(|| Scopes::new(&joined)))
}

/// The tenant: a text, of which an empty one says nothing, or a whole number, which is read as its decimal text.
///
/// # Errors
/// [`TokenError::ClaimInvalid`] for any other type, or a text that no header carries whole.
pub(super) fn tenant(
    claims: &Object<'_>,
    path: &ClaimPath,
) -> Result<Option<Box<str>>, TokenError> {
    match walk(claims, path)? {
        None => Ok(None),
        Some(Json::Unsigned(number)) => Ok(Some(number.to_string().into())),
        Some(Json::Text(text)) if is_carried_whole(text) => {
            Ok((!text.is_empty()).then(|| text.as_ref().into()))
        }
        Some(_) => Err(TokenError::ClaimInvalid(
            "the tenant has the wrong type or value",
        )),
    }
}

/// The value at the end of `path`. An absent member on the way means absent; one that is no object is a fault.
fn walk<'c, 'a>(
    claims: &'c Object<'a>,
    path: &ClaimPath,
) -> Result<Option<&'c Json<'a>>, TokenError> {
    let (last, outer) = path.names().split_last().expect("a path is never empty");
    let mut members = claims;
    for name in outer {
        members = match members.find(name) {
            None => return Ok(None),
            Some(Json::Object(inner)) => inner,
            Some(_) => {
                return Err(TokenError::ClaimInvalid(
                    "a claim on the way to a named one is not an object",
                ));
            }
        };
    }
    Ok(members.find(last))
}

fn texts<'c>(elements: &'c [Json<'_>]) -> Option<Vec<&'c str>> {
    elements.iter().map(Json::as_text).collect()
}
