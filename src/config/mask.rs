//! Which parts of the text must not be shown: the values of secret keys, however the file is broken, and URLs that name a
//! user. Knows the words that secret keys are made of, and no table.

use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::likeness;

/// A key with one of these in its name has a secret value.
const SECRET_PARTS: [&str; 5] = ["secret", "token", "password", "credential", "key"];

/// Keys that look secret and are not.
const OPEN_KEYS: [&str; 3] = ["keys_stale_max", "access_token", "refresh_token"];

/// Tables whose keys are names that an operator chose: they say nothing about their values.
const TABLES_OF_NAMES: [&str; 6] = [
    "listeners",
    "issuers",
    "products",
    "upstreams",
    "routes",
    "clients",
];

/// How alike a key must be to one of [`SECRET_PARTS`] to count as a slip of the pen.
const ALIKE_MIN: f64 = 0.75;

/// The ranges of `text` that must not be shown, in order and apart.
pub(super) fn hidden(text: &str) -> Vec<Range<usize>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut found = Found::default();
    found.in_table(document.get_ref(), Inside::Keys);
    let mut hidden = found.hidden;
    if !errors.is_empty() {
        in_broken_text(text, &mut hidden);
    }
    merge(hidden)
}

/// What the keys of a table tell about their values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Each key tells by its own name.
    Keys,
    /// They are names that an operator chose.
    Names,
    /// As `Keys`, but headers are only named: those of a CORS policy.
    Cors,
    /// Every value is secret, such as the headers that the gate sends.
    Secrets,
}

/// What a walk over a document found.
#[derive(Default)]
struct Found<'d> {
    hidden: Vec<Range<usize>>,
    /// Which keys are secret. A file of many routes has few keys, each of them many times.
    secret: HashMap<&'d str, bool>,
}

impl<'d> Found<'d> {
    fn in_table(&mut self, table: &'d DeTable<'d>, inside: Inside) {
        for (key, value) in table {
            let key = &**key.get_ref();
            let below = match inside {
                Inside::Secrets => Inside::Secrets,
                Inside::Names => Inside::Keys,
                _ if self.is_secret(key) => Inside::Secrets,
                Inside::Cors => Inside::Cors,
                Inside::Keys if key == "headers" => Inside::Secrets,
                Inside::Keys if key == "cors" => Inside::Cors,
                Inside::Keys if TABLES_OF_NAMES.contains(&key) => Inside::Names,
                Inside::Keys => Inside::Keys,
            };
            self.in_value(value, below);
        }
    }

    fn in_value(&mut self, value: &'d Spanned<DeValue<'d>>, below: Inside) {
        match value.get_ref() {
            DeValue::Boolean(_) => {}
            DeValue::Array(elements) => {
                for element in elements {
                    self.in_value(element, below);
                }
            }
            DeValue::Table(table) => self.in_table(table, below),
            _ if below == Inside::Secrets => self.hidden.push(value.span()),
            DeValue::String(text) if has_user(text) => self.hidden.push(value.span()),
            _ => {}
        }
    }

    fn is_secret(&mut self, key: &'d str) -> bool {
        *self.secret.entry(key).or_insert_with(|| is_secret(key))
    }
}

/// Whether a text is a URL with a user, and so maybe a password, before its host.
fn has_user(text: &str) -> bool {
    let authority = text.split_once("://").map(|(_, rest)| rest);
    let authority = authority.and_then(|rest| rest.split(['/', '?', '#']).next());
    authority.is_some_and(|authority| authority.contains('@'))
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    !OPEN_KEYS.contains(&&*key)
        && SECRET_PARTS
            .iter()
            .any(|part| key.contains(part) || likeness(&key, part) >= ALIKE_MIN)
}

/// Text that is no TOML has no values, only lines: whatever stands behind a secret key and its `=` is hidden, up to the
/// next line that has a key or a table of its own.
fn in_broken_text(text: &str, hidden: &mut Vec<Range<usize>>) {
    let mut in_headers = false;
    let mut secret_goes_on = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        let from = if line.trim_start().starts_with('[') && !secret_goes_on {
            in_headers = line.contains("headers");
            None
        } else if begins_with_key(line) {
            secret_at(line).or(line.find('=').filter(|_| in_headers))
        } else {
            secret_goes_on.then_some(0).or_else(|| secret_at(line))
        };
        secret_goes_on = from.is_some();
        if let Some(from) = from {
            hidden.push((start + from).min(end)..end);
        }
        start += line.len();
    }
}

/// Where on `line` the value of a secret key begins: behind its `=` or `:`, or behind the key itself if it is the first
/// word.
fn secret_at(line: &str) -> Option<usize> {
    let is_key = |c: char| c.is_alphanumeric() || "_-.\"'".contains(c);
    let mut rest = line;
    while let Some(begin) = rest.find(is_key) {
        let begin = line.len() - rest.len() + begin;
        let word = &line[begin..];
        let end = begin + word.find(|c| !is_key(c)).unwrap_or(word.len());
        rest = &line[end..];
        let is_first = line[..begin]
            .trim_start_matches(['[', '{', ' ', '\t'])
            .is_empty();
        let assigns = rest.trim_start().starts_with(['=', ':']);
        let mut names = line[begin..end]
            .split('.')
            .map(|name| name.trim_matches(['"', '\'']));
        if (is_first || assigns) && names.any(|name| name == "headers" || is_secret(name)) {
            return Some(end);
        }
    }
    None
}

/// Whether a line begins with a key, an `=` and something behind it.
fn begins_with_key(line: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else {
        return false;
    };
    let key = key.trim();
    let is_key = |c: char| c.is_alphanumeric() || "_-.\"' ".contains(c);
    let value = value.trim_start_matches(['=', ' ', '\t']);
    !key.is_empty()
        && key.chars().all(is_key)
        && key.matches('"').count().is_multiple_of(2)
        && value.starts_with([
            '"', '\'', '[', '{', 't', 'f', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
        ])
}

fn merge(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_by_key(|span| span.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for span in spans.into_iter().filter(|span| !span.is_empty()) {
        match merged.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}
