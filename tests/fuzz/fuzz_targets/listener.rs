//! See `checks/listener.rs`, which the ordinary tests run over the corpus.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/listener.rs"]
mod checks;

fuzz_target!(|bytes: &[u8]| checks::check(bytes));
