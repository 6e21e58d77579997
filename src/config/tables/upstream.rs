//! `[upstreams.NAME]`: where requests go once they may pass.

use std::time::Duration;

use super::read::{authorities, host};
use crate::config::model::{Bundle, Protocol, ServerAddress, Upstream, UpstreamTls};
use crate::config::table::Table;
use crate::config::url::{is_host, port_of};
use crate::config::value::Value;

/// Reads `[upstreams.NAME]`.
pub(in crate::config) fn upstream(table: &Table<'_>) -> Option<Upstream> {
    let help = "name at least one: servers = [\"127.0.0.1:9101\"]";
    let servers = table.need("servers", help, |value| value.some(server));
    let protocols = [("h1", Protocol::H1), ("h2", Protocol::H2)];
    let seconds = Duration::from_secs;
    let upstream = Upstream {
        name: table.name.into(),
        servers: Vec::new(),
        protocol: table.read_or("protocol", Protocol::H1, |value| value.word(&protocols)),
        tls: table
            .table("tls", "upstreams.NAME.tls")
            .and_then(|table| tls(&table)),
        connect_timeout: table.read_or("connect_timeout", seconds(2), Value::span),
        response_timeout: table.read_or("response_timeout", seconds(30), Value::span),
        idle_timeout: table.read_or("idle_timeout", seconds(60), Value::span),
        keepalive_timeout: table.read_or("keepalive_timeout", seconds(60), Value::duration),
        keepalive_max: table.read_or("keepalive_max", 256, |value| value.count(0..=65_536))
            as usize,
        retry_after: table.read_or("retry_after", seconds(5), Value::span),
    };
    Some(Upstream {
        servers: servers?,
        ..upstream
    })
}

fn server(value: &Value<'_>) -> Option<ServerAddress> {
    let text = value.line()?;
    if let Ok(address) = text.parse::<std::net::SocketAddr>()
        && address.port() > 0
    {
        return Some(ServerAddress::Ip(address));
    }
    let named = text.rsplit_once(':').and_then(|(host, port)| {
        let port = port_of(port)?;
        let is_name = is_host(host) && !host.starts_with('[');
        is_name.then(|| ServerAddress::Name {
            host: host.to_ascii_lowercase().into(),
            port,
        })
    });
    named.or_else(|| {
        let help = "write a host and a port alone: \"10.0.0.5:8080\", \"[::1]:8080\" or \"crm.internal:8080\"";
        value.refuse("address_invalid", "`servers` has an element that is no server", help)
    })
}

fn tls(table: &Table<'_>) -> Option<UpstreamTls> {
    let help = "say whose certificate is expected: tls = { name = \"crm.internal\" }";
    let name = table.need("name", help, host);
    let ca = table.read("ca", bundle);
    Some(UpstreamTls { name: name?, ca })
}

fn bundle(value: &Value<'_>) -> Option<Bundle> {
    let path = authorities(value)?;
    let pem = value.bytes()?.into();
    Some(Bundle { path, pem })
}
