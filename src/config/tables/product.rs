//! `[products.NAME]`: what a refusal tells about a product.

use super::read::any_url;
use crate::config::model::Product;
use crate::config::table::Table;
use crate::config::value::Value;
use crate::principal::Entitlement;

/// Reads `[products.NAME]`.
pub(in crate::config) fn product(table: &Table<'_>) -> Option<(Entitlement, Product)> {
    let product = Product {
        title: table.read("title", Value::line).map(Into::into),
        upgrade_url: table.read("upgrade_url", any_url),
    };
    match Entitlement::parse(table.name) {
        Ok(name) => Some((name, product)),
        Err(why) => {
            let help = "name it as tokens carry it";
            table.refuse("product_invalid", why.to_string(), help)
        }
    }
}
