//! Walks the spanned document table by table. A [`Table`] hands out what is asked for and reports what nobody asked for;
//! every fault is kept with its place, and none ends the walk. Knows no key by name.

use std::cell::RefCell;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostic;
use super::files::Files;
use super::nearest;
use super::value::Value;

/// What a walk carries with it, and what it has found so far.
pub(super) struct Walk<'w> {
    pub(super) files: &'w dyn Files,
    found: RefCell<Vec<Diagnostic>>,
    /// Each (table, key) that was asked for: the reference file is held against it.
    #[cfg(test)]
    pub(super) asked: RefCell<std::collections::BTreeSet<(&'static str, &'static str)>>,
}

impl<'w> Walk<'w> {
    pub(super) fn new(files: &'w dyn Files) -> Self {
        Self {
            files,
            found: RefCell::default(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    /// The whole document as a table.
    pub(super) fn root(&'w self, entries: &'w DeTable<'w>) -> Table<'w> {
        Table {
            walk: self,
            name: "",
            schema: "",
            span: 0..0,
            entries,
            asked: RefCell::default(),
        }
    }

    pub(super) fn report(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// Reports a fault at `span`, and has nothing in its place.
    pub(super) fn refuse<T>(
        &self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.report(Diagnostic::fault(code, span, message, help));
        None
    }

    /// Reports a warning at `span`.
    pub(super) fn warn(
        &self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(Diagnostic::warning(code, span, message, help));
    }

    /// Everything found, in the order of the file.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.severity));
        // A value that is read for two reasons has its fault once.
        found.dedup();
        found
    }
}

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
    /// A table behind a key.
    pub(super) fn new(
        value: &Value<'w>,
        name: &'w str,
        schema: &'static str,
        entries: &'w DeTable<'w>,
    ) -> Self {
        Self {
            walk: value.walk,
            name,
            schema,
            span: value.key_span.clone(),
            entries,
            asked: RefCell::default(),
        }
    }

    /// The value of `key`, if it is there.
    pub(super) fn take(&self, key: &'static str) -> Option<Value<'w>> {
        self.asked.borrow_mut().push(key);
        #[cfg(test)]
        self.walk.asked.borrow_mut().insert((self.schema, key));
        let (spanned, value) = self.entries.get_key_value(key)?;
        Some(Value {
            walk: self.walk,
            key: spanned.get_ref(),
            key_span: spanned.span(),
            span: value.span(),
            inner: value.get_ref(),
        })
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
        let walk = self.walk;
        self.asked.borrow_mut().push(ANY_KEY);
        self.entries
            .iter()
            .map(|(key, value)| Value {
                walk,
                key: key.get_ref(),
                key_span: key.span(),
                span: value.span(),
                inner: value.get_ref(),
            })
            .collect()
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
            let help = nearest::help(key.get_ref(), asked.iter().copied(), "the keys here are");
            self.walk
                .refuse::<()>("key_unknown", key.span(), message, help);
        }
    }
}
