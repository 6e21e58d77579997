//! What a token says of itself, for `explain`: shown, never believed. Decides nothing.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::bearer::BearerToken;
use super::compact::{self, Compact};

impl BearerToken<'_> {
    /// The members by which a token is judged, as the token has them; nothing of it is verified. No part of it can be made
    /// into a token again.
    pub fn says(&self) -> String {
        let Some((header, claims)) = self.read() else {
            return "nothing that can be read".to_owned();
        };
        let members = HEADER_SHOWN.iter().map(|name| (name, header.get(*name)));
        let members = members.chain(CLAIMS_SHOWN.iter().map(|name| (name, claims.get(*name))));
        let mut said = String::new();
        for (name, value) in members.filter_map(|(name, value)| Some((name, value?))) {
            let comma = if said.is_empty() { "" } else { ", " };
            let value = value.to_string();
            write!(said, "{comma}{name} {}", printable(&value)).expect("a String takes any text");
        }
        said
    }

    fn read(&self) -> Option<(Map<String, Value>, Map<String, Value>)> {
        let parts = Compact::split(*self).ok()?;
        let members = |part| serde_json::from_slice(&compact::decode(part).ok()?).ok();
        members(parts.header).zip(members(parts.claims))
    }
}

/// JSON as a terminal may see it: what is not plainly a character is escaped.
fn printable(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            ' '..='~' => text.push(c),
            _ => text.extend(c.escape_debug()),
        }
    }
    text
}

const HEADER_SHOWN: [&str; 3] = ["typ", "alg", "kid"];
const CLAIMS_SHOWN: [&str; 6] = ["iss", "aud", "sub", "iat", "nbf", "exp"];
