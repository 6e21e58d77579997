//! Texts of claims that a header can carry whole.

use super::failure::TokenError;
use super::json::{Json, Object};

/// An optional text that a header can carry: without control characters, and without a space at its edges, which its
/// reader would take off. An empty one says nothing: it counts as absent.
pub(super) fn text<'c>(
    claims: &'c Object<'_>,
    name: &str,
    detail: &'static str,
) -> Result<Option<&'c str>, TokenError> {
    match claims.find(name) {
        None => Ok(None),
        Some(Json::Text(text)) if is_carried_whole(text) => {
            Ok(Some(text.as_ref()).filter(|text| !text.is_empty()))
        }
        Some(_) => Err(TokenError::ClaimInvalid(detail)),
    }
}

/// Whether a header's reader finds the text as it was written: no claim says anything else.
pub fn is_carried_whole(text: &str) -> bool {
    !(text.contains(char::is_control) || text.starts_with(' ') || text.ends_with(' '))
}
