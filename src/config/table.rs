//! One table of the document under the cursor: it hands out what is asked for and reports what nobody asked for. Knows no
//! key by name.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::nearest;
use super::value::Value;
use super::walk::Walk;

/// One table under the cursor. What nobody asked for is unknown: it is reported when the cursor goes.
pub(super) struct Table<'w> {
    pub(super) walk: &'w Walk<'w>,
    /// Its own key: the name of a route, an issuer, …
    pub(super) name: &'w str,
    /// Which table it is, with `NAME` for a name the operator chose.
    schema: &'static str,
    /// Its key in the file: where something missing is missing.
    pub(super) span: Range<usize>,
    entries: &'w DeTable<'w>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'w> Table<'w> {
    /// The whole document.
    pub(super) fn root(walk: &'w Walk<'w>, entries: &'w DeTable<'w>) -> Self {
        Self {
            walk,
            name: "",
            schema: "",
            span: 0..0,
            entries,
            asked: RefCell::default(),
        }
    }

    /// The value of `key`, if it is there.
    pub(super) fn take(&self, key: &'static str) -> Option<Value<'w>> {
        self.asked.borrow_mut().push(key);
        #[cfg(test)]
        self.walk.asked.borrow_mut().insert((self.schema, key));
        let entry = self.entries.get_key_value(key)?;
        Some(self.value(entry))
    }

    fn value(
        &self,
        (key, value): (&'w Spanned<DeString<'w>>, &'w Spanned<DeValue<'w>>),
    ) -> Value<'w> {
        Value {
            walk: self.walk,
            key: key.get_ref(),
            key_span: key.span(),
            span: value.span(),
            inner: value.get_ref(),
        }
    }

    /// Reads `key`; `None` when it is absent or at fault.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&Value<'w>) -> Option<T>,
    ) -> Option<T> {
        parse(&self.take(key)?)
    }

    /// Reads `key`, or says what it is by default. A value at fault counts as absent: its fault is kept.
    pub(super) fn read_or<T>(
        &self,
        key: &'static str,
        default: T,
        parse: impl FnOnce(&Value<'w>) -> Option<T>,
    ) -> T {
        self.read(key, parse).unwrap_or(default)
    }

    /// Reads `key`, which must be there.
    pub(super) fn need<T>(
        &self,
        key: &'static str,
        help: &str,
        parse: impl FnOnce(&Value<'w>) -> Option<T>,
    ) -> Option<T> {
        match self.take(key) {
            Some(value) => parse(&value),
            None => self.refuse("key_missing", format!("`{key}` is missing"), help),
        }
    }

    /// The table `key`, if it is there.
    pub(super) fn table(&self, key: &'static str, schema: &'static str) -> Option<Table<'w>> {
        self.read(key, |value| value.table(schema))
    }

    /// The tables below `key`, each under the name that the operator chose.
    pub(super) fn named(&self, key: &'static str, schema: &'static str) -> Vec<Table<'w>> {
        self.read(key, |value| value.named(schema))
            .unwrap_or_default()
    }

    /// The names below `key`, sound or not.
    pub(super) fn names(&self, key: &'static str) -> Vec<(&'w str, Range<usize>)> {
        match self.entries.get(key).map(|value| value.get_ref()) {
            Some(DeValue::Table(entries)) => entries
                .keys()
                .map(|name| (&**name.get_ref(), name.span()))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Every entry, for tables whose keys are the operator's.
    pub(super) fn entries(&self) -> Vec<Value<'w>> {
        self.asked.borrow_mut().push(ANY_KEY);
        let entries = self.entries.iter();
        entries.map(|entry| self.value(entry)).collect()
    }

    /// The string behind `path`, if there is one: a look ahead that asks for no key.
    pub(super) fn peek(&self, path: &[&str]) -> Option<&'w str> {
        let (last, tables) = path.split_last()?;
        let mut entries = self.entries;
        for key in tables {
            entries = entries.get(*key)?.get_ref().as_table()?;
        }
        entries.get(*last)?.get_ref().as_str()
    }

    /// Whether `key` is there, sound or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Where the value of `key` stands, or else the table.
    pub(super) fn span_of(&self, key: &str) -> Range<usize> {
        self.entries
            .get(key)
            .map_or_else(|| self.span.clone(), |value| value.span())
    }

    /// The header that was meant where a name with dots stands without quotes: `key` is the table that it made then.
    fn dotted(&self, key: &str) -> Option<String> {
        let named = self.schema.strip_suffix(".NAME")?;
        let mut name = format!("{}.{key}", self.name);
        let mut below = self.entries.get(key)?.get_ref().as_table()?;
        while let [(key, value)] = *below.iter().collect::<Vec<_>>()
            && let Some(table) = value.get_ref().as_table()
        {
            name = format!("{name}.{}", key.get_ref());
            below = table;
        }
        Some(header(named, &name))
    }

    /// Reports a fault of the table as a whole.
    pub(super) fn refuse<T>(
        &self,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.walk.refuse(code, self.span.clone(), message, help)
    }

    /// Reports a warning about `key`, or the table where the key is absent.
    pub(super) fn warn(
        &self,
        key: &str,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.walk.warn(code, self.span_of(key), message, help);
    }
}

impl<'w> Value<'w> {
    /// A table.
    pub(super) fn table(&self, schema: &'static str) -> Option<Table<'w>> {
        match self.inner {
            DeValue::Table(entries) => Some(Table {
                walk: self.walk,
                name: self.key,
                schema,
                span: self.key_span.clone(),
                entries,
                asked: RefCell::default(),
            }),
            _ => self.wrong_type("a table", "write it as a table: [name] or { key = value }"),
        }
    }

    /// A table of tables, each under a name that is fit to be a metric label.
    pub(super) fn named(&self, schema: &'static str) -> Option<Vec<Table<'w>>> {
        let outer = self.table("")?;
        let named = outer
            .entries()
            .iter()
            .filter_map(|entry| {
                entry.sound_name();
                entry.table(schema)
            })
            .collect();
        Some(named)
    }

    fn sound_name(&self) {
        let sound = !self.key.is_empty()
            && self.key.len() <= NAME_BYTES_MAX
            && self
                .key
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b",\"\\".contains(&byte));
        if !sound {
            let message =
                "a name is 1 to 128 visible ASCII characters without comma, quote or backslash";
            let help = "choose a shorter or simpler name: it is the metric label";
            let span = self.key_span.clone();
            self.walk.refuse::<()>("name_invalid", span, message, help);
        }
    }
}

/// The longest name that an operator may choose, in bytes: it becomes a metric label.
const NAME_BYTES_MAX: usize = 128;

/// The header of the table `name` among `tables`, as TOML has it.
pub(super) fn header(tables: &str, name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    match !name.is_empty() && name.bytes().all(is_bare) {
        true => format!("[{tables}.{name}]"),
        false => format!("[{tables}.\"{name}\"]"),
    }
}

/// Stands among the keys asked for when every key is known.
const ANY_KEY: &str = "*";

impl Drop for Table<'_> {
    fn drop(&mut self) {
        let asked = self.asked.borrow();
        if asked.contains(&ANY_KEY) {
            return;
        }
        for key in self.entries.keys() {
            if asked.contains(&&**key.get_ref()) {
                continue;
            }
            let message = match self.schema {
                "" => format!("there is no table or key `{}`", key.get_ref()),
                schema => format!("`[{schema}]` has no key `{}`", key.get_ref()),
            };
            let known = asked.iter().copied();
            let help = match self.dotted(key.get_ref()) {
                Some(name) if nearest::nearest(key.get_ref(), known.clone()).is_none() => {
                    format!("a name with a dot stands in quotes: {name}")
                }
                _ => nearest::help(key.get_ref(), known, "the keys here are"),
            };
            self.walk
                .refuse::<()>("key_unknown", key.span(), message, help);
        }
    }
}
