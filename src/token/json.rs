//! A strict reader of JSON objects (RFC 8259) for headers, claims and key sets: what could be read two ways is refused.
//! Knows nothing of the members' meaning.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

/// One value. Texts borrow from the document wherever it has them without an escape.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    /// A whole number from zero up to 2⁶⁴ − 1.
    Unsigned(u64),
    /// A whole number below zero.
    Negative(i64),
    /// Any other number; finite.
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// The members of one object, no name twice.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Object<'a> {
    /// Reads a document that is exactly one object: no name twice at any depth (escapes decoded before they are
    /// compared, RFC 7519 §4), no deeper than [`NESTED_MAX`], valid UTF-8, nothing behind it.
    ///
    /// # Errors
    /// The parser's text, which may quote the document: for the operator of a key set, never for a client.
    pub(super) fn parse(document: &'a [u8]) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(document);
        let value = Value {
            depth_left: NESTED_MAX,
        }
        .deserialize(&mut reader)?;
        reader.end()?;
        match value {
            Json::Object(object) => Ok(object),
            _ => Err(Error::custom("the document is not an object")),
        }
    }

    /// One member's value, by its exact name.
    pub(super) fn find(&self, name: &str) -> Option<&Json<'a>> {
        self.iter()
            .find(|(held, _)| *held == name)
            .map(|(_, value)| value)
    }

    /// All members in the document's order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    fn has_name_twice(&self) -> bool {
        let mut names: SmallVec<[&str; 24]> = self.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }
}

impl Json<'_> {
    /// The text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads one value with this many levels to spare.
#[derive(Clone, Copy)]
struct Value {
    depth_left: u8,
}

impl Value {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1);
        depth_left
            .map(|depth_left| Self { depth_left })
            .ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json<'de>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(u64::try_from(value).map_or(Json::Negative(value), Json::Unsigned))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json<'de>, A::Error> {
        let inner = self.inner()?;
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Json::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let inner = self.inner()?;
        let mut members = Vec::with_capacity(MEMBERS_USUAL);
        while let Some(name) = map.next_key_seed(inner)? {
            let Json::Text(name) = name else {
                return Err(Error::custom("a name that is no text"));
            };
            members.push((name, map.next_value_seed(inner)?));
        }
        let object = Object(members);
        if object.has_name_twice() {
            return Err(Error::custom("a name twice in one object"));
        }
        Ok(Json::Object(object))
    }
}

/// What most claim sets fit into without growing.
const MEMBERS_USUAL: usize = 12;

/// How deep lists and objects may nest, the document's own object among them.
pub const NESTED_MAX: u8 = 32;
