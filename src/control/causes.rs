//! What a call that failed says of itself, to the operator.

use std::error::Error as _;

/// An error with all its causes, which `reqwest` keeps apart, and without the address: that may hold a password.
pub(super) fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
