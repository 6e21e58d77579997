//! Bytes of an `Authorization` value: no panic, and what is taken for a token is one run of a token's characters.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::token::BearerToken;

fuzz_target!(|value: &[u8]| {
    if let Ok(token) = BearerToken::parse(value) {
        let text = token.as_str();
        assert!(!text.is_empty() && text.len() <= BearerToken::BYTES_MAX);
        assert!(value.ends_with(text.as_bytes()));
        assert!(BearerToken::from_compact(text).is_ok());
    }
});
