//! The reference and the contract's examples pass, and the reference names every key that the parser knows.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

use super::support::{InMemory, found, shown, sound};
use crate::config::REFERENCE;
use crate::config::check::whole;
use crate::config::table::Table;
use crate::config::walk::Walk;

/// The reference with each key that is only shown switched on.
fn everything() -> String {
    let switched_on = REFERENCE.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest,
        _ => line,
    });
    switched_on.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_reference_passes_on_any_machine() {
    let outcome = crate::config::check(REFERENCE, &InMemory::default());
    let (config, warnings) = outcome.unwrap_or_else(|found| panic!("{}", shown(REFERENCE, &found)));
    assert!(warnings.is_empty(), "{}", shown(REFERENCE, &warnings));
    assert_eq!(config.routes.len(), 2);
}

#[test]
fn the_reference_passes_with_every_key_switched_on() {
    let text = everything();
    let (config, _) = sound(&text);
    assert_eq!(
        config.sessions.map(|sessions| sessions.clients.len()),
        Some(4)
    );
}

#[test]
fn the_reference_names_every_key_that_the_parser_knows() {
    let text = everything();
    let document = DeTable::parse(&text).unwrap();
    let files = InMemory::full();
    let walk = Walk::new(&files);
    whole(&Table::root(&walk, document.get_ref()));
    let asked = walk.asked.take();
    let mut present = BTreeSet::new();
    keys_of("", document.get_ref(), &mut present);
    let missing: Vec<_> = asked
        .iter()
        .filter(|(table, key)| !present.contains(&((*table).to_owned(), (*key).to_owned())))
        .collect();
    assert!(missing.is_empty(), "not in gateway.toml: {missing:?}");
    assert!(
        asked.len() > 150,
        "the walk asked for {} keys only",
        asked.len()
    );
}

/// Each key under its table, with `NAME` for the names that operators choose.
fn keys_of(table: &str, entries: &DeTable<'_>, present: &mut BTreeSet<(String, String)>) {
    const OF_NAMES: [&str; 7] = [
        "listeners",
        "issuers",
        "products",
        "upstreams",
        "cors",
        "routes",
        "sessions.clients",
    ];
    for (key, value) in entries {
        let key = if OF_NAMES.contains(&table) {
            "NAME"
        } else {
            key.get_ref()
        };
        present.insert((table.to_owned(), key.to_owned()));
        if let DeValue::Table(entries) = value.get_ref() {
            let path = if table.is_empty() {
                key.to_owned()
            } else {
                format!("{table}.{key}")
            };
            keys_of(&path, entries, present);
        }
    }
}

#[test]
fn a_gateway_with_everything_in_it_passes() {
    let text = include_str!("example.toml");
    let (config, warnings) = sound(text);
    let codes: Vec<_> = warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(
        codes,
        ["issuer_own", "tenant_unmatched"],
        "{}",
        shown(text, &warnings)
    );
    let names: Vec<_> = config
        .issuers
        .iter()
        .map(|issuer| &*issuer.terms.name)
        .collect();
    assert_eq!(names, ["sessions"]);
    assert_eq!(
        config.routes[0].issuers.as_deref(),
        Some(&["sessions".into()][..])
    );
}

#[test]
fn defaults_are_the_ones_that_the_reference_writes() {
    let written = sound(&everything()).0;
    let bare = found(super::support::SOUND);
    assert!(bare.is_empty(), "{bare:?}");
    let bare = sound(super::support::SOUND).0;
    let (written_listener, listener) = (&written.listeners[1], &bare.listeners[0]);
    assert_eq!(written_listener.http2, listener.http2);
    assert_eq!(written_listener.header_timeout, listener.header_timeout);
    assert_eq!(written_listener.header_bytes_max, listener.header_bytes_max);
    assert_eq!(written_listener.idle_timeout, listener.idle_timeout);
    assert_eq!(written_listener.body_bytes_max, listener.body_bytes_max);
    assert_eq!(written_listener.body_timeout, listener.body_timeout);
    assert_eq!(written_listener.body_rate_min, listener.body_rate_min);
    assert_eq!(
        written_listener.handshake_timeout,
        listener.handshake_timeout
    );
    assert_eq!(written_listener.connections_max, listener.connections_max);
    assert_eq!(
        written_listener.connections_per_address_max,
        listener.connections_per_address_max
    );
    assert_eq!(
        written_listener.http2_streams_max,
        listener.http2_streams_max
    );
    let unnamed = |upstream: &crate::config::model::Upstream| crate::config::model::Upstream {
        tls: None,
        servers: Vec::new(),
        ..upstream.clone()
    };
    assert_eq!(
        unnamed(&written.upstreams["crm"]),
        unnamed(&bare.upstreams["crm"])
    );
    assert_eq!(written.telemetry, bare.telemetry);
    assert_eq!(written.server.drain, bare.server.drain);
}
