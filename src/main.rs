//! The binary: words in, exit code out.

use std::process::ExitCode;

/// Smaller and faster than the system's allocator for many short-lived buffers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tollgate::cli::main()
}
