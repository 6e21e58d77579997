//! The request line with one meaning: method, host and canonical path, or a refusal.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::reason::Reason;
use super::refusal::Refusal;
use crate::policy::{Host, RequestPath};
use crate::wire::fields::{self, same_name};
use crate::wire::head::REQUEST_FIELDS_MAX;
use crate::wire::{RequestHead, Scheme, Version};

/// What routing looks at, read once.
#[derive(Debug)]
pub(super) struct RequestLine<'a> {
    /// As on the wire.
    pub(super) method: &'a str,
    /// The authority as it came, checked.
    pub(super) authority: Option<&'a str>,
    /// Its host.
    pub(super) host: Option<Host>,
    /// The canonical path and the query.
    pub(super) path: RequestPath,
}

impl<'a> RequestLine<'a> {
    /// Reads target and authority (RFC 9112 §3.2, RFC 9113 §8.3.1).
    ///
    /// # Errors
    /// [`Reason::RequestMalformed`] or [`Reason::RequestAmbiguous`].
    pub(super) fn parse(head: &RequestHead<'a>) -> Result<Self, Refusal> {
        if head.method.eq_ignore_ascii_case("CONNECT") {
            return Err(ambiguous("CONNECT is not served"));
        }
        let (target, named) = split_target(head.target)?;
        let authority = one_authority(head, named)?;
        let host = authority.map(Host::parse).transpose()?;
        let path = RequestPath::parse(&target)?;
        if path.as_str() == "*" && head.method != "OPTIONS" {
            return Err(ambiguous("`*` is a target of OPTIONS alone"));
        }
        Ok(Self {
            method: head.method,
            authority,
            host,
            path,
        })
    }
}

/// The origin-form of a target, and the authority that the absolute-form has before it.
fn split_target(target: &str) -> Result<(Cow<'_, str>, Option<&str>), Refusal> {
    if target.starts_with('/') || target == "*" {
        return Ok((Cow::Borrowed(target), None));
    }
    let absolute = split_absolute(target);
    let (_, authority, path) = absolute.ok_or_else(|| ambiguous("the target is no path"))?;
    Ok((path, Some(authority)))
}

/// Splits the absolute-form `http://authority/path` (RFC 9112 §3.2.2).
pub(super) fn split_absolute(target: &str) -> Option<(Scheme, &str, Cow<'_, str>)> {
    let (scheme, rest) = target.split_once("://")?;
    let scheme = Scheme::parse(scheme)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let path = match &rest[end..] {
        path if path.starts_with('/') => Cow::Borrowed(path),
        query => Cow::Owned(format!("/{query}")),
    };
    Some((scheme, &rest[..end], path))
}

/// The one authority of the request, wherever it stands; all that stand must agree.
fn one_authority<'a>(
    head: &RequestHead<'a>,
    in_target: Option<&'a str>,
) -> Result<Option<&'a str>, Refusal> {
    let hosts = head
        .fields
        .iter()
        .filter(|field| same_name(field.name, "host"));
    let mut named: SmallVec<[&'a str; 3]> = SmallVec::new();
    for host in hosts {
        if named.len() == 1 {
            return Err(ambiguous("two Host fields"));
        }
        named.push(std::str::from_utf8(host.value).map_err(|_| ambiguous("Host is not ASCII"))?);
    }
    named.extend(head.authority);
    if named.is_empty() && head.version != Version::Http10 {
        return Err(Refusal::new(
            Reason::RequestMalformed,
            "no Host (RFC 9112 §3.2, RFC 9113 §8.3.1)",
        ));
    }
    named.extend(in_target);
    let Some(first) = named.first().copied() else {
        return Ok(None);
    };
    if named.iter().any(|other| !other.eq_ignore_ascii_case(first)) {
        return Err(ambiguous("Host and target name two authorities"));
    }
    Ok(Some(first))
}

/// Refuses a head whose `Connection` names a field that is not its own to name: it would take it off the next hop. And one
/// that names more than a head can have: each is compared with each field, and thousands fit into a head.
pub(super) fn check_nominations(
    head: &RequestHead<'_>,
    owns: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    const NEVER: [&str; 6] = [
        "authorization",
        "cookie",
        "host",
        "x-request-id",
        "traceparent",
        "tracestate",
    ];
    for (before, option) in fields::connection_options(head.fields).enumerate() {
        if before == REQUEST_FIELDS_MAX {
            let detail = "Connection names more fields than a head has";
            return Err(Refusal::new(Reason::HeadersTooLarge, detail));
        }
        let name =
            std::str::from_utf8(option).map_err(|_| ambiguous("Connection names no token"))?;
        if owns(name)
            || fields::is_forwarding(name)
            || NEVER.iter().any(|never| same_name(never, name))
        {
            return Err(ambiguous(
                "Connection names a field that is not the client's to remove",
            ));
        }
    }
    Ok(())
}

/// Whether the client wants another protocol from here on (RFC 9110 §7.8), soundly or not.
pub(super) fn asks_to_switch(head: &RequestHead<'_>) -> bool {
    let names_it = |option: &[u8]| option.eq_ignore_ascii_case(b"upgrade");
    head.values("upgrade").next().is_some() && fields::connection_options(head.fields).any(names_it)
}

pub(super) fn ambiguous(detail: &'static str) -> Refusal {
    Refusal::new(Reason::RequestAmbiguous, detail)
}
