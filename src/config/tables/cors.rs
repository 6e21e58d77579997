//! `[cors.NAME]`: which pages of other origins may call a route (Fetch standard, CORS protocol).

use std::time::Duration;

use super::read::{header_name, header_name_lower, method, origin};
use crate::config::model::Cors;
use crate::config::table::Table;
use crate::config::value::Value;

/// Reads `[cors.NAME]`.
pub(in crate::config) fn cors(table: &Table<'_>) -> Option<Cors> {
    let help = "name the pages that may call: origins = [\"https://app.example.com\"]";
    let origins = table.need("origins", help, |value| value.some(origin));
    Some(Cors {
        methods: table.read_or("methods", Vec::new(), |value| value.list(method)),
        headers: table.read_or("headers", Vec::new(), |value| value.list(header_name_lower)),
        expose: table.read_or("expose", Vec::new(), |value| value.list(header_name)),
        max_age: table.read_or("max_age", Duration::from_secs(600), Value::duration),
        origins: origins?,
    })
}
