//! The names that tables give and routes refer to: which there are, and which of them anybody uses.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::nearest;
use super::table::{Table, header};
use super::value::Value;
use super::walk::Walk;

/// What a kind of name is called.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// One of them.
    pub(super) noun: &'static str,
    /// The table that holds them.
    pub(super) table: &'static str,
    pub(super) unknown: &'static str,
    pub(super) unused: &'static str,
}

pub(super) const PRODUCTS: Kind = Kind {
    noun: "product",
    table: "products",
    unknown: "product_unknown",
    unused: "product_unused",
};

pub(super) const UPSTREAMS: Kind = Kind {
    noun: "upstream",
    table: "upstreams",
    unknown: "upstream_unknown",
    unused: "upstream_unused",
};

pub(super) const ISSUERS: Kind = Kind {
    noun: "issuer",
    table: "issuers",
    unknown: "issuer_unknown",
    unused: "issuer_unused",
};

pub(super) const CORS: Kind = Kind {
    noun: "CORS policy",
    table: "cors",
    unknown: "cors_unknown",
    unused: "cors_unused",
};

/// All names of one kind.
pub(super) struct Names<'w> {
    kind: Kind,
    at: BTreeMap<&'w str, Range<usize>>,
    used: RefCell<BTreeSet<&'w str>>,
    unknown: Cell<usize>,
}

/// For how many unknown names of one kind the nearest known one is sought: with thousands of either it would take minutes.
const SOUGHT_MAX: usize = 20;

impl<'w> Names<'w> {
    /// The names that the document has, whether or not what they name is sound.
    pub(super) fn of(root: &Table<'w>, kind: Kind) -> Self {
        Self {
            kind,
            at: root.names(kind.table).into_iter().collect(),
            used: RefCell::default(),
            unknown: Cell::default(),
        }
    }

    /// Adds a name that is there without a table of its own.
    pub(super) fn add(&mut self, name: &'w str) {
        self.at.insert(name, 0..0);
        self.used.get_mut().insert(name);
    }

    /// The name that `value` refers to, which counts as used from now on.
    pub(super) fn find(&self, value: &Value<'w>) -> Option<&'w str> {
        let text = value.line()?;
        if let Some((name, _)) = self.at.get_key_value(text) {
            self.used.borrow_mut().insert(name);
            return Some(name);
        }
        let Kind { noun, table, .. } = self.kind;
        let message = format!("there is no {noun} `{text}`");
        let help = self
            .help(text)
            .unwrap_or_else(|| format!("add a table {}", header(table, text)));
        value.refuse(self.kind.unknown, message, help)
    }

    /// What was probably meant, which then is not unused on top of it; or all there are.
    fn help(&self, text: &str) -> Option<String> {
        self.unknown.set(self.unknown.get() + 1);
        if self.at.is_empty() || self.unknown.get() > SOUGHT_MAX {
            return None;
        }
        let known = self.at.keys().copied();
        self.used
            .borrow_mut()
            .extend(nearest::nearest(text, known.clone()));
        Some(nearest::help(text, known, "these are known:"))
    }

    /// Counts every name as used.
    pub(super) fn use_all(&self) {
        self.used.borrow_mut().extend(self.at.keys());
    }

    /// Warns of each name that nobody referred to.
    pub(super) fn warn_unused(&self, walk: &Walk<'_>) {
        let used = self.used.borrow();
        for (name, span) in self.at.iter().filter(|(name, _)| !used.contains(*name)) {
            let message = format!("no route uses the {} `{name}`", self.kind.noun);
            let help = "refer to it in a route, or remove the table";
            walk.warn(self.kind.unused, span.clone(), message, help);
        }
    }
}

/// The names that a route may refer to.
pub(super) struct Known<'w> {
    pub(super) products: Names<'w>,
    pub(super) upstreams: Names<'w>,
    pub(super) issuers: Names<'w>,
    pub(super) cors: Names<'w>,
    /// The operator's own table for the `iss` of the session side: another name of it.
    pub(super) own: Option<&'w str>,
}
