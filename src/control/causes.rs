//! What a call that failed says of itself, to the operator.

/// An error with all its causes.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let words: Vec<String> = causes.map(ToString::to_string).collect();
    words.join(": ")
}

/// The same of `reqwest`, which keeps causes apart, without the address: that may hold a password.
pub(super) fn told(error: reqwest::Error) -> String {
    with_causes(&error.without_url())
}
