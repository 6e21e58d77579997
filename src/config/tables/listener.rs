//! `[listeners.NAME]`: a socket that clients connect to.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use toml::de::DeValue;
use zeroize::Zeroizing;

use super::read::{authorities, certificates};
use crate::config::model::{CertificateFile, Listener, ListenerTls, OnClearText};
use crate::config::table::Table;
use crate::config::value::Value;

const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

/// Reads `[listeners.NAME]`.
pub(in crate::config) fn listener(table: &Table<'_>) -> Option<Listener> {
    let address = table.need(
        "address",
        "say where it listens: address = \"0.0.0.0:8080\"",
        Value::address,
    );
    let tls = tls(table);
    let on_clear_text = on_clear_text(table, tls.is_some());
    let seconds = Duration::from_secs;
    let connections = |key, default: u64| {
        table.read_or(key, default, |value| value.count(1..=10_000_000)) as usize
    };
    Some(Listener {
        name: table.name.into(),
        tls,
        on_clear_text,
        http2: table.read_or("http2", true, Value::flag),
        trusted_proxies: table.read_or("trusted_proxies", Vec::new(), |value| value.list(cidr)),
        header_timeout: table.read_or("header_timeout", seconds(10), Value::span),
        header_bytes_max: table
            .read_or("header_bytes_max", 32 * 1024, |value| value.size(256..=MIB))
            as usize,
        idle_timeout: table.read_or("idle_timeout", seconds(60), Value::span),
        body_bytes_max: table.read_or("body_bytes_max", 10 * MIB, |value| value.size(0..=TIB)),
        body_timeout: table.read_or("body_timeout", seconds(30), Value::span),
        body_rate_min: table.read_or("body_rate_min", 240, |value| value.size(0..=MIB)),
        request_timeout: table.read("request_timeout", Value::span),
        handshake_timeout: table.read_or("handshake_timeout", seconds(10), Value::span),
        connections_max: connections("connections_max", 65_536),
        connections_per_address_max: connections("connections_per_address_max", 16_384),
        http2_streams_max: table.read_or("http2_streams_max", 128, |value| value.count(1..=65_536))
            as u32,
        address: address?,
    })
}

fn cidr(value: &Value<'_>) -> Option<IpNet> {
    let text = value.line()?;
    let net = text
        .parse::<IpNet>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let help = "write a network or an address: \"10.0.0.0/8\", \"2001:db8::/32\" or \"10.1.2.3\"";
    let Some(net) = net else {
        let message = format!("`{}` has an element that is no network", value.key);
        return value.refuse("cidr_invalid", message, help);
    };
    if net != net.trunc() {
        let message = format!("`{}` has bits set behind its prefix length", net);
        return value.refuse(
            "cidr_invalid",
            message,
            format!("write \"{}\"", net.trunc()),
        );
    }
    Some(net)
}

/// Chains, keys and the clients' authority: none, or as many chains as keys.
fn tls(table: &Table<'_>) -> Option<ListenerTls> {
    let chains = table.read("certificate", |value| one_or_more(value, chain_of));
    let mut shown = chains.iter().flatten();
    let mut key = |value: &Value<'_>| key_of(shown.next(), value);
    let keys = table.read("key", |value| one_or_more(value, &mut key));
    let client_ca = table.read("client_ca", authorities);
    let (has_chain, has_key) = (table.has("certificate"), table.has("key"));
    let help = "write both: certificate = \"file:tls.crt\" and key = \"file:tls.key\"";
    if has_chain && !has_key {
        return table.take("certificate")?.refuse(
            "key_missing",
            "`certificate` has no `key` beside it",
            help,
        );
    }
    if has_key && !has_chain {
        return table.take("key")?.refuse(
            "key_missing",
            "`key` has no `certificate` beside it",
            help,
        );
    }
    if !has_chain {
        if let Some(value) = table.take("client_ca") {
            value.refuse::<()>(
                "key_missing",
                "`client_ca` needs TLS: there is no `certificate`",
                help,
            );
        }
        return None;
    }
    let (chains, keys) = (chains?, keys?);
    if chains.len() != keys.len() {
        let message = format!(
            "there are {} certificates and {} keys",
            chains.len(),
            keys.len()
        );
        let help = "write one key for each certificate, in the same order";
        return table.take("key")?.refuse("key_missing", message, help);
    }
    let certificates = chains
        .into_iter()
        .zip(keys)
        .map(|(chain, key)| CertificateFile { chain, key })
        .collect();
    Some(ListenerTls {
        certificates,
        client_ca,
    })
}

fn on_clear_text(table: &Table<'_>, over_tls: bool) -> OnClearText {
    if !table.read_or("redirect_to_https", false, Value::flag) {
        return OnClearText::Serve;
    }
    if over_tls {
        let message = "this listener speaks TLS: there is nothing to redirect";
        let help = "redirect on a second listener, in clear text";
        table.warn("redirect_to_https", "key_without_effect", message, help);
    }
    OnClearText::RedirectToHttps
}

fn one_or_more<T>(value: &Value<'_>, each: impl FnMut(&Value<'_>) -> Option<T>) -> Option<Vec<T>> {
    let mut each = each;
    match value.inner {
        DeValue::String(_) => each(value).map(|one| vec![one]),
        _ => value.some(each),
    }
}

/// A file with certificates that a client can read, all of them.
fn chain_of(value: &Value<'_>) -> Option<PathBuf> {
    certificates(value)?;
    let help = "it must hold certificates alone, each of them sound: the server's own, then those that vouch for it";
    let path = value.judged(|files, path| files.check_chain(path), help)?;
    if let Err(why) = value.walk.files.check_validity(&path) {
        let message = format!("clients refuse the certificate of `{}`: {why}", value.key);
        let help = "renew it; a new file is taken without a restart";
        value.warn("certificate_untimely", message, help);
    }
    Some(path)
}

/// The file with the key of `chain`, where there is a chain to compare it with.
fn key_of(chain: Option<&PathBuf>, value: &Value<'_>) -> Option<PathBuf> {
    let key = private_key(value)?;
    let Some(chain) = chain else { return Some(key) };
    let help = "write one key for each certificate, in the same order; a chain begins with the server's own";
    value.judged(|files, key| files.check_pair(chain, key), help)
}

/// A readable PEM file with a private key.
fn private_key(value: &Value<'_>) -> Option<PathBuf> {
    if value.text()?.contains("-----BEGIN") {
        let message = format!(
            "`{}` is a secret: it does not stand in the file itself",
            value.key
        );
        return value.refuse(
            "secret_inline",
            message,
            "write the path of the key: \"file:tls.key\"",
        );
    }
    let pem = Zeroizing::new(value.bytes()?);
    if PrivateKeyDer::from_pem_slice(&pem).is_ok() {
        return value.path();
    }
    let message = format!(
        "the file of `{}` has no private key that can be read",
        value.key
    );
    value.refuse(
        "file_invalid",
        message,
        "it must be PEM: -----BEGIN PRIVATE KEY-----, without a password",
    )
}
