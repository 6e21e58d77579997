//! `[admin]`: the operator's own listener.

use std::net::{Ipv4Addr, SocketAddr};

use super::read::host;
use crate::config::model::Admin;
use crate::config::table::Table;
use crate::config::value::Value;
use crate::secret::Secret;

/// Reads `[admin]`. Off loopback it has a token.
pub(in crate::config) fn admin(table: &Table<'_>) -> Admin {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 9901));
    let admin = Admin {
        address: table.read_or("address", loopback, Value::address),
        token: table.read("token", token),
        hosts: table.read_or("hosts", Vec::new(), |value| value.list(host)),
    };
    if !admin.address.ip().is_loopback()
        && !table.has("token")
        && let Some(address) = table.take("address")
    {
        let message = "the admin API would be open to other machines without a token";
        let help = "write token = \"env:ADMIN_TOKEN\", or listen on 127.0.0.1";
        address.refuse::<()>("admin_exposed", message, help);
    }
    admin
}

/// A secret that a request can show (RFC 6750 §2.1): a field's value has no space at its edges and no line end in it.
fn token(value: &Value<'_>) -> Option<Secret> {
    let secret = value.secret()?;
    let bytes = secret.expose();
    let fits = bytes.trim_ascii() == bytes && !bytes.iter().any(u8::is_ascii_control);
    if fits {
        return Some(secret);
    }
    let message =
        "no request can show this token: it has white space at an edge, or a control character";
    value.refuse(
        "secret_unusable",
        message,
        "draw one at random: `openssl rand -hex 32`",
    )
}
