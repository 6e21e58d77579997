//! Bytes of an `Authorization` value: what is taken for a token is one run of a token's characters at its end.

use tollgate::token::BearerToken;

pub(crate) fn check(value: &[u8]) {
    let Ok(token) = BearerToken::parse(value) else {
        return;
    };
    let text = token.as_str();
    assert!(!text.is_empty() && text.len() <= BearerToken::BYTES_MAX);
    assert!(value.ends_with(text.as_bytes()));
    assert!(BearerToken::from_compact(text).is_ok());
}
