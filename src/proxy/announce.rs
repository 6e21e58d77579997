//! Which trailers the head of a message announces (RFC 9110 §6.6.2). The field is for every hop, and some servers hand
//! out no trailer that it does not name; but each hop says it of what it sends on itself.

use crate::wire::fields::list;
use crate::wire::head::Framing;

/// The value of the `Trailer` field that goes on: the names that `announced` gives, as far as trailers of these names do.
/// `None` where none can follow, or none is announced, as nearly always.
pub(super) fn announced<'a>(
    framing: Framing,
    announced: impl Iterator<Item = &'a [u8]>,
    may_trail: impl Fn(&str) -> bool,
) -> Option<Vec<u8>> {
    if framing != Framing::Chunked {
        return None;
    }
    let names: Vec<&[u8]> = announced
        .flat_map(list)
        .filter(|name| std::str::from_utf8(name).is_ok_and(&may_trail))
        .collect();
    (!names.is_empty()).then(|| names.join(&b", "[..]))
}

/// The field's name.
pub(super) const TRAILER: &str = "trailer";
