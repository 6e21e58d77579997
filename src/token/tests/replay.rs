//! The fuzz targets' corpus, on stable.

use crate::corpus;

#[path = "../../../tests/fuzz/checks/bearer.rs"]
mod bearer_check;
#[path = "../../../tests/fuzz/checks/jwks.rs"]
mod jwks_check;
#[path = "../../../tests/fuzz/checks/signed.rs"]
mod signed_check;

const GOOD_HEADER: &[u8] = include_bytes!("../../../tests/fuzz/corpus/header/good");
const GOOD_CLAIMS: &[u8] = include_bytes!("../../../tests/fuzz/corpus/claims/good");

#[test]
fn the_fuzz_corpus_of_tokens_and_key_sets_passes() {
    corpus::replay("bearer", bearer_check::check);
    corpus::replay("header", |header| signed_check::check(header, GOOD_CLAIMS));
    corpus::replay("claims", |claims| signed_check::check(GOOD_HEADER, claims));
    corpus::replay("jwks", jwks_check::check);
}
