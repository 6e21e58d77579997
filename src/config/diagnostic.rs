//! One thing to say about a place in the file. Knows nothing of files and terminals; `report` shows it.

use std::ops::Range;

/// Whether the file can serve as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Fault,
    /// It can, but an operator should know.
    Warning,
}

impl Severity {
    /// The word that is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Warning => "warning",
        }
    }
}

/// A fault or a warning with its place and a way out. Neither text ever has a secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the file can serve as it is.
    pub severity: Severity,
    /// One word per cause, stable across releases.
    pub code: &'static str,
    /// Where, in bytes of the file.
    pub span: Range<usize>,
    /// The other places that take part, such as the first of two that clash.
    pub also: Vec<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Diagnostic {
    /// A fault at `span`.
    pub fn fault(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Fault,
            code,
            span,
            also: Vec::new(),
            message: message.into(),
            help: help.into(),
        }
    }

    /// A warning at `span`.
    pub fn warning(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::fault(code, span, message, help)
        }
    }

    /// The same, with another place that takes part.
    #[must_use]
    pub fn and(mut self, span: Range<usize>) -> Self {
        self.also.push(span);
        self
    }

    /// Whether the file cannot serve because of it.
    pub fn is_fault(&self) -> bool {
        self.severity == Severity::Fault
    }
}
