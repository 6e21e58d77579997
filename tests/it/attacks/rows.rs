//! The table of attacks. Each row is a token that a sound gate refuses, and the one reason for it.

use serde_json::json;

use super::forge::{Forge, KID};
use super::{Attack, shaped, signed};

pub fn attacks(forge: &Forge) -> Vec<Attack> {
    let mut rows = Rows(Vec::new());
    signed::confusion(&mut rows, forge);
    signed::keys(&mut rows, forge);
    signed::signatures(&mut rows, forge);
    shaped::wrappers(&mut rows, forge);
    shaped::duplicates(&mut rows, forge);
    shaped::encodings(&mut rows, forge);
    shaped::numbers(&mut rows, forge);
    shaped::claims_of_a_wrong_type(&mut rows, forge);
    rows.0
}

pub(super) struct Rows(Vec<Attack>);

impl Rows {
    pub(super) fn add(&mut self, name: impl Into<String>, token: String, reason: &'static str) {
        self.0.push(Attack {
            name: name.into(),
            token,
            reason,
        });
    }
}

pub(super) fn header(alg: &str) -> String {
    json!({ "alg": alg, "typ": "at+jwt", "kid": KID }).to_string()
}
