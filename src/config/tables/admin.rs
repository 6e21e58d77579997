//! `[admin]`: the operator's own listener.

use std::net::{Ipv4Addr, SocketAddr};

use super::read::host;
use crate::config::model::Admin;
use crate::config::value::Value;
use crate::config::walk::Table;

/// Reads `[admin]`. Off loopback it has a token.
pub(in crate::config) fn admin(table: &Table<'_>) -> Admin {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 9901));
    let admin = Admin {
        address: table.read_or("address", loopback, Value::address),
        token: table.read("token", Value::secret),
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
