//! `[routes.NAME]`: which requests, and what happens to them. What they demand is `route_access`'s.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::read::{host, method};
use super::route_access::{Access, access};
use crate::config::names::Known;
use crate::config::table::Table;
use crate::config::value::Value;
use crate::policy::{Handling, HostPattern, Methods, Mode, PathPattern, Requirement, Route};

/// A route as far as it could be read.
pub(in crate::config) enum Reading {
    /// All of it.
    Whole(Route),
    /// Which requests it is for: no other route may be for the same. Whom it lets in or where they go is at fault, and what
    /// stands for that here is read by nobody.
    Place(Route),
}

/// Reads `[routes.NAME]`.
pub(in crate::config) fn route<'w>(table: &Table<'w>, known: &Known<'w>) -> Option<Reading> {
    let hosts = optional(table, "hosts", |value| value.some(host_pattern));
    let help = "say which paths: path = \"/crm/*\" (all below), path = \"/crm\" (exactly)";
    let path = table.need("path", help, path_pattern);
    let methods = optional(table, "methods", methods);
    let access = access(table, known, path.as_ref());
    let help = "say where its requests go: upstream = \"…\"";
    let upstream = table.need("upstream", help, |value| known.upstreams.find(value));
    let mode = mode(table);
    let handling = handling(table, known, path.as_ref());
    let is_whole = access.is_some() && upstream.is_some();
    let access = access.unwrap_or(Access {
        requirement: Requirement::Authenticated,
        scopes: Vec::new(),
        tenant: None,
        issuers: None,
    });
    let route = Route {
        name: table.name.into(),
        hosts: hosts?.unwrap_or_default(),
        path: path?,
        methods: methods?.map_or(Methods::Any, Methods::Named),
        requirement: access.requirement,
        scopes: access.scopes,
        tenant: access.tenant,
        issuers: access.issuers,
        mode,
        upstream: upstream.unwrap_or_default().into(),
        handling,
    };
    Some(match is_whole {
        true => Reading::Whole(route),
        false => Reading::Place(route),
    })
}

/// Reads a key that may be absent; `None` when it is at fault, which is not the same.
fn optional<'w, T>(
    table: &Table<'w>,
    key: &'static str,
    parse: impl FnOnce(&Value<'w>) -> Option<T>,
) -> Option<Option<T>> {
    match table.take(key) {
        Some(value) => parse(&value).map(Some),
        None => Some(None),
    }
}

/// One that stands twice is said twice, and no more.
fn methods(value: &Value<'_>) -> Option<Vec<Box<str>>> {
    let mut methods = value.some(method)?;
    let mut seen = BTreeSet::new();
    methods.retain(|method| seen.insert(method.clone()));
    Some(methods)
}

fn host_pattern(value: &Value<'_>) -> Option<HostPattern> {
    let text = value.line()?;
    let Some(suffix) = text.strip_prefix("*.") else {
        return host(value).map(HostPattern::Exact);
    };
    if crate::config::url::is_host(suffix) && !suffix.starts_with('[') {
        return Some(HostPattern::Wildcard(suffix.to_ascii_lowercase().into()));
    }
    let help = "write \"*.example.com\" for every name below example.com";
    value.refuse(
        "host_invalid",
        "`hosts` has an element that is no host",
        help,
    )
}

fn path_pattern(value: &Value<'_>) -> Option<PathPattern> {
    match PathPattern::parse(value.text()?) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            let help = "write \"/x\" for /x exactly, \"/x/*\" for /x and all below it, \"{name}\" for one segment";
            value.refuse("path_invalid", why, help)
        }
    }
}

fn mode(table: &Table<'_>) -> Mode {
    let words = [("enforce", Mode::Enforce), ("shadow", Mode::Shadow)];
    let mode = table.read_or("mode", Mode::Enforce, |value| value.word(&words));
    if mode == Mode::Shadow {
        let message = format!(
            "route `{}` is in shadow mode: what it would refuse passes, without any identity",
            table.name
        );
        table.warn(
            "mode",
            "shadow_mode",
            message,
            "watch the metrics, then write mode = \"enforce\"",
        );
    }
    mode
}

fn handling<'w>(table: &Table<'w>, known: &Known<'w>, path: Option<&PathPattern>) -> Handling {
    let flag = |key, default| table.read_or(key, default, Value::flag);
    let cors = table.read("cors", |value| known.cors.find(value));
    Handling {
        strip_prefix: table.read("strip_prefix", |value| strip_prefix(value, path)),
        forward_token: flag("forward_token", false),
        refuse_upgrade: !flag("upgrade", true),
        websocket_token: flag("websocket_token", false),
        outlive: flag("outlive", false),
        cors: cors.map(Arc::from),
        response_timeout: table.read("response_timeout", Value::span),
        body_bytes_max: table.read("body_bytes_max", |value| value.size(0..=1 << 40)),
    }
}

/// Whole literal segments at the beginning of every path that the route has.
fn strip_prefix(value: &Value<'_>, path: Option<&PathPattern>) -> Option<Box<str>> {
    let prefix = value.line()?;
    let Some(path) = path else {
        return Some(prefix.into());
    };
    let rest = path.as_str().strip_prefix(prefix);
    let whole_segments = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let literal = prefix.len() > 1
        && prefix.starts_with('/')
        && !prefix.ends_with('/')
        && !prefix.contains(['{', '*']);
    if literal && whole_segments {
        return Some(prefix.into());
    }
    let message = format!(
        "`strip_prefix` is no prefix of the path `{}`",
        path.as_str()
    );
    let help = "write whole literal segments that the path begins with: path = \"/crm/*\", strip_prefix = \"/crm\"";
    value.refuse("strip_prefix_invalid", message, help)
}
