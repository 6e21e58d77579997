//! Where a verdict on a token came from.

/// Where the knowledge that a signature holds came from: a label of `tollgate_token_verifications_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The token was verified before, under a key and terms that still stand.
    Cache,
    /// The signature was checked just now.
    Signature,
}

impl Source {
    /// The metric's label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Signature => "signature",
        }
    }
}
