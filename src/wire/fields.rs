//! What field names mean on every protocol: which belong to one hop, which tell where a request came from, and when two
//! spellings are one name.

use super::request::Field;

/// Whether two names are one to an upstream that folds `_` into `-`, as CGI and its heirs do.
pub fn same_name(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| fold(a) == fold(b))
}

/// Whether `name` begins with `prefix`, compared like [`same_name`].
pub fn has_prefix(name: &str, prefix: &str) -> bool {
    name.len() >= prefix.len()
        && name
            .bytes()
            .zip(prefix.bytes())
            .all(|(a, b)| fold(a) == fold(b))
}

fn fold(byte: u8) -> u8 {
    if byte == b'_' {
        b'-'
    } else {
        byte.to_ascii_lowercase()
    }
}

/// Whether a field belongs to one connection alone (RFC 9110 §7.6.1). The framing fields count among them: each hop
/// writes its own.
pub fn is_hop_by_hop(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.iter().any(|hop| same_name(hop, name)) || same_name(name, "http2-settings")
}

/// Whether a field claims where a request came from or was meant for: rebuilt by the gate, never passed on.
pub fn is_forwarding(name: &str) -> bool {
    const NAMES: [&str; 15] = [
        "cf-connecting-ip",
        "client-ip",
        "fastly-client-ip",
        "forwarded",
        "forwarded-for",
        // CGI makes `HTTP_PROXY` of it (CVE-2016-5385).
        "proxy",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-forwarded",
        "x-originating-ip",
        "x-real-ip",
        "x-remote-addr",
        "x-remote-ip",
        "x-rewrite-url",
    ];
    has_prefix(name, "x-forwarded-")
        || has_prefix(name, "x-original-")
        || NAMES.iter().any(|other| same_name(other, name))
}

/// Whether a field asks for another method than the one on the wire.
pub fn is_method_override(name: &str) -> bool {
    const NAMES: [&str; 3] = [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ];
    NAMES.iter().any(|other| same_name(other, name))
}

/// Whether a field may stand in a trailer section and go on from there (RFC 9110 §6.5.1): not one that frames, routes,
/// authenticates or says how content is to be read, and no alias of one.
pub fn may_be_trailer(name: &str) -> bool {
    const NEVER: [&str; 31] = [
        "accept-encoding",
        "age",
        "authentication-info",
        "authorization",
        "cache-control",
        "content-encoding",
        "content-location",
        "content-range",
        "content-type",
        "cookie",
        "date",
        "expect",
        "expires",
        "host",
        "http2-settings",
        "location",
        "max-forwards",
        "origin",
        "pragma",
        "proxy-authentication-info",
        "range",
        "referer",
        "retry-after",
        "set-cookie",
        "strict-transport-security",
        "traceparent",
        "tracestate",
        "vary",
        "warning",
        "www-authenticate",
        "x-request-id",
    ];
    const NEVER_BEFORE: [&str; 3] = ["access-control-", "if-", "sec-"];
    !(name.contains('_')
        || is_hop_by_hop(name)
        || is_forwarding(name)
        || is_method_override(name)
        || NEVER_BEFORE.iter().any(|prefix| has_prefix(name, prefix))
        || NEVER.iter().any(|other| same_name(other, name)))
}

/// Whether a value has neither a space nor a tab at its edges: HTTP/1.1 takes them off, HTTP/2 forbids them
/// (RFC 9113 §8.2.1).
pub fn is_trimmed(value: &[u8]) -> bool {
    let edges = [value.first(), value.last()];
    !edges
        .into_iter()
        .flatten()
        .any(|edge| b" \t".contains(edge))
}

/// The options that the `Connection` fields of a head name (RFC 9110 §7.6.1).
pub fn connection_options<'a>(fields: &[Field<'a>]) -> impl Iterator<Item = &'a [u8]> {
    fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("connection"))
        .flat_map(|field| list(field.value))
}

/// The members of a comma-separated list (RFC 9110 §5.6.1), empty ones left out.
pub fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// The one value of `name`; `Err` when there are several.
///
/// # Errors
/// `()` when the field stands more than once, in any spelling.
#[expect(
    clippy::result_unit_err,
    reason = "the caller names the field and so the fault"
)]
pub fn single<'a>(fields: &[Field<'a>], name: &str) -> Result<Option<&'a [u8]>, ()> {
    let mut values = fields
        .iter()
        .filter(|field| same_name(field.name, name))
        .map(|field| field.value);
    let first = values.next();
    if values.next().is_some() {
        Err(())
    } else {
        Ok(first)
    }
}
