//! Bytes of an `Authorization` value: what is taken for a token is all behind the scheme and its spaces.

use tollgate::token::BearerToken;

pub(crate) fn check(value: &[u8]) {
    let Ok(token) = BearerToken::parse(value) else {
        return;
    };
    let taken = token.as_bytes();
    assert!(!taken.is_empty() && taken.len() <= BearerToken::BYTES_MAX);
    assert!(taken[0] != b' ' && value.ends_with(taken));
    let (scheme, spaces) = value[..value.len() - taken.len()].split_at(6);
    assert!(scheme.eq_ignore_ascii_case(b"bearer"));
    assert!(!spaces.is_empty() && spaces.iter().all(|byte| *byte == b' '));
}
