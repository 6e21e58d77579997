//! What every step of the walk over the document carries with it: the files that are referred to, and what was found so
//! far. Every fault is kept with its place, and none ends the walk.

use std::cell::RefCell;
use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::files::Files;

/// What a walk carries with it, and what it has found so far.
pub(super) struct Walk<'w> {
    pub(super) files: &'w dyn Files,
    found: RefCell<Vec<Diagnostic>>,
    /// Each (table, key) that was asked for: the reference file is held against it.
    #[cfg(test)]
    pub(super) asked: RefCell<std::collections::BTreeSet<(&'static str, &'static str)>>,
}

impl<'w> Walk<'w> {
    pub(super) fn new(files: &'w dyn Files) -> Self {
        Self {
            files,
            found: RefCell::default(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    pub(super) fn report(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// Reports a fault at `span`, and has nothing in its place.
    pub(super) fn refuse<T>(
        &self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.report(Diagnostic::fault(code, span, message, help));
        None
    }

    /// Reports a warning at `span`.
    pub(super) fn warn(
        &self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(Diagnostic::warning(code, span, message, help));
    }

    /// Everything found, in the order of the file.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.severity));
        // A value that is read for two reasons has its fault once.
        found.dedup();
        found
    }
}
