//! A JSON object, and nothing else: a list with the right elements would pass for a struct as well.

use serde::Deserialize;
use serde::de::Error as _;

/// Reads a document that is one object.
///
/// # Errors
/// The parser's text.
pub(in crate::api) fn read<'a, T: Deserialize<'a>>(
    document: &'a [u8],
) -> Result<T, serde_json::Error> {
    match document.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(document),
        _ => Err(serde_json::Error::custom("the document is no object")),
    }
}
