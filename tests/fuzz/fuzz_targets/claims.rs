//! Claims under a header that is good. See `checks/signed.rs`, which the ordinary tests run over the corpus.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/signed.rs"]
mod checks;

fuzz_target!(|claims: &[u8]| checks::check(include_bytes!("../corpus/header/good"), claims));
