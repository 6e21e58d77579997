//! A header over claims that are good. See `checks/signed.rs`, which the ordinary tests run over the corpus.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/signed.rs"]
mod checks;

fuzz_target!(|header: &[u8]| checks::check(header, include_bytes!("../corpus/claims/good")));
