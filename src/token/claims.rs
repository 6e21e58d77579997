//! Claims → [`Principal`] (RFC 7519 §4, RFC 9068 §2.2). A known claim of the wrong type is never taken for an absent one.
//! Called once the signature holds; reads no clock.

use super::failure::TokenError;
use super::grants;
use super::json::{Json, Object};
use super::terms::IssuerTerms;
use super::text::text;
use super::times::Times;
use crate::principal::Principal;

/// What the claims of one token say, every known one checked for type and value.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) principal: Principal,
    pub(super) times: Times,
    /// Whether `aud` names one of the issuer's audiences.
    pub(super) audience: Audience,
    /// `rtg`: which generation of its session's refresh token a token of this house came with.
    pub(super) generation: Option<u64>,
}

/// For whom a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    Ours,
    Others,
}

impl Claims {
    /// Reads the claims of a token of `terms`' issuer, which `iss` was already found to name.
    ///
    /// # Errors
    /// [`TokenError::ClaimInvalid`].
    pub(super) fn read(claims: &Object<'_>, terms: &IssuerTerms) -> Result<Self, TokenError> {
        // A token that is bound to a key of its holder (RFC 7800) is worth nothing as a plain bearer.
        if claims.find("cnf").is_some() {
            return Err(TokenError::ClaimInvalid(
                "bound tokens are not accepted as plain bearers",
            ));
        }
        let times = Times::read(claims)?;
        let audience = audience(claims, terms)?;
        let subject = text(claims, "sub", "`sub` is not a sound text")?
            .ok_or(TokenError::ClaimInvalid("no `sub`"))?;
        let client = text(claims, "client_id", "`client_id` is not a sound text")?;
        let authorized_party = text(claims, "azp", "`azp` is not a sound text")?;
        let principal = Principal {
            issuer_name: terms.name.clone(),
            issuer: terms.issuer.clone(),
            subject: subject.into(),
            tenant: grants::tenant(claims, &terms.tenant)?,
            session: text(claims, "sid", "`sid` is not a sound text")?.map(Into::into),
            client: client.or(authorized_party).map(Into::into),
            token_id: text(claims, "jti", "`jti` is not a sound text")?.map(Into::into),
            scopes: grants::scopes(claims, &terms.scopes)?,
            products: grants::products(claims, &terms.products)?,
        };
        let generation = match claims.find("rtg") {
            Some(Json::Unsigned(generation)) => Some(*generation),
            _ => None,
        };
        Ok(Self {
            principal,
            times,
            audience,
            generation,
        })
    }
}

/// `aud`: one text or a list of texts (RFC 7519 §4.1.3).
pub(super) fn audience(claims: &Object<'_>, terms: &IssuerTerms) -> Result<Audience, TokenError> {
    let names_us = |text: &str| terms.audiences.iter().any(|ours| **ours == *text);
    let ours = match claims.find("aud") {
        Some(Json::Text(text)) => names_us(text),
        Some(Json::List(elements)) => {
            let mut ours = false;
            for element in elements {
                let text = element.as_text().ok_or(TokenError::ClaimInvalid(
                    "`aud` has an element that is not a text",
                ))?;
                ours |= names_us(text);
            }
            ours
        }
        Some(_) => return Err(TokenError::ClaimInvalid("`aud` is not a text or a list")),
        None => return Err(TokenError::ClaimInvalid("no `aud`")),
    };
    Ok(if ours {
        Audience::Ours
    } else {
        Audience::Others
    })
}
