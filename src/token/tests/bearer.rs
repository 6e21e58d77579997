//! The `Authorization` value.

use crate::token::{BearerError, BearerToken};

#[track_caller]
fn check(value: &str, expected: Result<&str, BearerError>) {
    let found = BearerToken::parse(value.as_bytes());
    let found = found.map(|token| token.as_bytes().to_owned());
    let expected = expected.map(|token| token.as_bytes().to_owned());
    assert_eq!(found, expected, "{value:?}");
}

#[test]
fn the_scheme_is_read_in_any_case_with_any_number_of_spaces() {
    check("Bearer a.b.c", Ok("a.b.c"));
    check("bearer a.b.c", Ok("a.b.c"));
    check("BEARER    a.b.c", Ok("a.b.c"));
    check("bEaReR a-_.0.Z", Ok("a-_.0.Z"));
}

#[test]
fn another_scheme_or_an_empty_one_is_no_token() {
    for value in [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer    ",
        "Basic YTpi",
        "Bearera.b.c",
        "Bearer\ta.b.c",
        "DPoP a.b.c",
        "a.b.c",
        " Bearer a.b.c",
        "Beare",
        "\u{212a}earer a.b.c",
    ] {
        check(value, Err(BearerError::Missing));
    }
}

#[test]
fn a_token_has_at_most_eight_kibibytes() {
    let longest = "a".repeat(BearerToken::BYTES_MAX);
    check(&format!("Bearer {longest}"), Ok(&longest));
    check(&format!("Bearer {longest}a"), Err(BearerError::Oversized));
    // The size is looked at before any character.
    check(&format!("Bearer {longest}\0"), Err(BearerError::Oversized));
    let huge = "a".repeat(1024 * 1024);
    assert_eq!(
        BearerToken::from_compact(&huge).unwrap_err(),
        BearerError::Oversized
    );
}

#[test]
fn a_token_cannot_be_printed() {
    let token = BearerToken::from_compact("secret.secret.secret").unwrap();
    assert_eq!(format!("{token:?}"), "BearerToken(20 bytes)");
}
