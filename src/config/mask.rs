//! Which parts of the text must not be shown: the values of secret keys, however the file is broken. Knows the words that
//! secret keys are made of, and no table.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::nearest::likeness;

/// A key with one of these in its name has a secret value.
const SECRET_PARTS: [&str; 5] = ["secret", "token", "password", "credential", "key"];

/// Keys that look secret and are not.
const OPEN_KEYS: [&str; 1] = ["keys_stale_max"];

/// How alike a key must be to one of [`SECRET_PARTS`] to count as a slip of the pen.
const ALIKE_MIN: f64 = 0.75;

/// The ranges of `text` that must not be shown, in order and apart.
pub(super) fn hidden(text: &str) -> Vec<Range<usize>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut hidden = Vec::new();
    in_table(document.get_ref(), Inside::Open, &mut hidden);
    if !errors.is_empty() {
        in_broken_text(text, &mut hidden);
    }
    merge(hidden)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Open,
    /// Headers that the gate sends: each value may be a password.
    Headers,
}

fn in_table(table: &DeTable<'_>, inside: Inside, hidden: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        let key = key.get_ref();
        match value.get_ref() {
            DeValue::Table(table) if key == "headers" => in_table(table, Inside::Headers, hidden),
            DeValue::Table(table) => in_table(table, inside, hidden),
            DeValue::Boolean(_) => {}
            _ if inside == Inside::Headers || is_secret(key) => hidden.push(value.span()),
            DeValue::Array(elements) => {
                for element in elements {
                    if let DeValue::Table(table) = element.get_ref() {
                        in_table(table, inside, hidden);
                    }
                }
            }
            _ => {}
        }
    }
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
            secret_at(line)
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

/// Where the first value of a secret key begins on `line`.
fn secret_at(line: &str) -> Option<usize> {
    let equals = line.match_indices('=').map(|(at, _)| at);
    let mut after_secret = equals.filter(|at| {
        let is_key = |c: char| c.is_alphanumeric() || "_-.\"'".contains(c);
        let path = line[..*at].trim_end();
        let begin = path.rfind(|c| !is_key(c)).map_or(0, |at| at + 1);
        let mut names = path[path.ceil_char_boundary(begin)..]
            .split('.')
            .map(|name| name.trim_matches(['"', '\'']));
        names.any(|name| name == "headers" || is_secret(name))
    });
    after_secret.next().map(|at| at + 1)
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
