//! Where words go: results to standard output, everything else to standard error. Whoever reads them may go away early, as
//! `head` does, and that is no error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

use anyhow::Context as _;

/// Gives a result, and a line's end behind it.
///
/// # Errors
/// When standard output takes it not, for another reason than that nobody reads it any more.
pub(super) fn result(text: impl Display) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output"),
    }
}

/// Tells a person something that is no result. Where nobody hears it there is nobody to tell that either.
pub(super) fn notice(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
