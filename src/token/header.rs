//! The JOSE header (RFC 7515 §4): the three members that count, and those that no token may carry. `jku`, `jwk`, `x5u`,
//! `x5c` and the rest are never looked at: no key and no address is taken from a token.

use super::failure::TokenError;
use super::json::{Json, Object};

/// What a header says, not yet trusted.
#[derive(Debug)]
pub(super) struct Header<'h> {
    /// `alg` (RFC 7515 §4.1.1).
    pub(super) algorithm: &'h str,
    /// `kid` (RFC 7515 §4.1.4).
    pub(super) kid: Option<&'h str>,
    /// `typ` without an `application/` prefix (RFC 7515 §4.1.9); an absent one is `JWT`.
    pub(super) typ: &'h str,
}

impl<'h> Header<'h> {
    /// Picks the members that count.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] for a member that asks for what this house does not do: extensions (`crit`, RFC 7515
    /// §4.1.11; `b64`, RFC 7797), encryption and compression (`enc`, `zip`), other content than claims (`cty`, which only
    /// a nested token has use for, RFC 7519 §5.2); and for `alg`, `kid` or `typ` that is not a text.
    pub(super) fn read(members: &'h Object<'_>) -> Result<Self, TokenError> {
        if let Some((_, detail)) = REFUSED
            .iter()
            .find(|(name, _)| members.find(name).is_some())
        {
            return Err(TokenError::Malformed(detail));
        }
        Ok(Self {
            algorithm: text(members, "alg", "`alg` is not a text")?
                .ok_or(TokenError::Malformed("no `alg`"))?,
            kid: text(members, "kid", "`kid` is not a text")?,
            typ: text(members, "typ", "`typ` is not a text")?.map_or("JWT", without_application),
        })
    }
}

fn text<'h>(
    members: &'h Object<'_>,
    name: &str,
    detail: &'static str,
) -> Result<Option<&'h str>, TokenError> {
    members
        .find(name)
        .map(|value: &Json<'_>| value.as_text().ok_or(TokenError::Malformed(detail)))
        .transpose()
}

/// A media type's short form: `application/` may be left out where no other `/` follows (RFC 7515 §4.1.9).
fn without_application(media_type: &str) -> &str {
    match media_type.split_at_checked(APPLICATION.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(APPLICATION) && !rest.contains('/') => {
            rest
        }
        _ => media_type,
    }
}

const APPLICATION: &str = "application/";

/// Members whose mere presence refuses a token.
const REFUSED: [(&str, &str); 5] = [
    ("crit", "critical extensions"),
    ("b64", "an unencoded payload"),
    ("cty", "a nested token"),
    ("zip", "compression"),
    ("enc", "an encrypted token"),
];
