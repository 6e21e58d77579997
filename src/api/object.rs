//! A JSON object, and nothing else: a list with the right elements would pass for a struct as well.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a document that is one object.
///
/// # Errors
/// The parser's text.
pub(in crate::api) fn read<'a, T: Deserialize<'a>>(
    document: &'a [u8],
) -> Result<T, serde_json::Error> {
    let mut document = serde_json::Deserializer::from_slice(document);
    let read = member(&mut document)?;
    document.end()?;
    Ok(read)
}

/// Reads what is one object, for `deserialize_with`.
///
/// # Errors
/// The parser's text.
pub(in crate::api) fn member<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    value: D,
) -> Result<T, D::Error> {
    value.deserialize_map(Members(PhantomData))
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<T, M::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}
