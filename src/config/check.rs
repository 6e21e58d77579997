//! The whole file: every table read, then everything that holds between tables. Collects every fault and stops at none.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use toml::de::DeTable;

use super::between::{self, Placed};
use super::diagnostic::Diagnostic;
use super::files::Files;
use super::model::Config;
use super::names::{CORS, ISSUERS, Known, Names, PRODUCTS, UPSTREAMS};
use super::table::Table;
use super::tables::route::Reading;
use super::tables::{
    admin, cors, identity, issuer, listener, product, route, server, session, telemetry, upstream,
};
use super::walk::Walk;
use crate::policy::Route;
use crate::session::OWN_ISSUER;

/// Reads a whole `gateway.toml`. What comes out is sound, and comes with warnings in the order of the file.
///
/// # Errors
/// Every fault of the text, and its warnings, in the order of the file; at least one of them is a fault.
pub fn check(text: &str, files: &impl Files) -> Result<(Config, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let walk = Walk::new(files);
    let config = whole(&Table::root(&walk, document.get_ref()));
    let mut found = walk.finish();
    if !errors.is_empty() {
        found = syntax(text, &errors, found);
    }
    match found.iter().any(Diagnostic::is_fault) {
        true => Err(found),
        false => Ok((config, found)),
    }
}

/// A broken line is said to be broken once; of the rest, whatever cannot follow from it is kept.
fn syntax(text: &str, errors: &[toml::de::Error], found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let lines = Lines::of(text);
    let span_of = |error: &toml::de::Error| error.span().unwrap_or(0..0);
    let broken_lines: BTreeSet<_> = errors
        .iter()
        .map(|error| lines.line_of(&span_of(error)))
        .collect();
    // Keys below a broken header seem to be those of another table.
    let is_astray = |span: &Range<usize>| {
        let line = lines.line_of(span);
        let header = lines.header_of(line);
        header.is_some_and(|header| header != line && broken_lines.contains(&header))
    };
    let mut told = BTreeSet::new();
    let mut all: Vec<_> = errors
        .iter()
        .filter(|error| error.message() != DUPLICATE || !is_astray(&span_of(error)))
        .filter(|error| told.insert(lines.line_of(&span_of(error))))
        .map(|error| {
            let help = match error.message() {
                DUPLICATE => "each key and each table stands once: rename or remove one of them",
                _ => {
                    "a line is [a.table] or key = value; strings stand in quotes (https://toml.io)"
                }
            };
            Diagnostic::fault("syntax", span_of(error), error.message(), help)
        })
        .collect();
    // What could not be read has no place, and what seems to be missing may stand there.
    let holds = |fault: &Diagnostic| {
        !fault.span.is_empty() && !speaks_of_absence(fault.code) && !is_astray(&fault.span)
    };
    all.extend(
        found
            .into_iter()
            .filter(|fault| holds(fault) && !broken_lines.contains(&lines.line_of(&fault.span))),
    );
    all.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.severity));
    all
}

/// What the parser says of a key or a table that stands twice.
const DUPLICATE: &str = "duplicate key";

/// Where the lines of a text begin, and which of them begin a table. Lines count from 0.
struct Lines {
    starts: Vec<usize>,
    headers: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = text.split('\n').enumerate();
        let headers = lines.filter(|(_, line)| line.trim_start().starts_with('['));
        Self {
            starts: std::iter::once(0).chain(breaks).collect(),
            headers: headers.map(|(number, _)| number).collect(),
        }
    }

    fn line_of(&self, span: &Range<usize>) -> usize {
        self.starts.partition_point(|start| *start <= span.start) - 1
    }

    /// The last header at `line` or above.
    fn header_of(&self, line: usize) -> Option<usize> {
        let above = self.headers.partition_point(|header| *header <= line);
        Some(self.headers[above.checked_sub(1)?])
    }
}

/// Whether a fault says that something is not there.
fn speaks_of_absence(code: &str) -> bool {
    const ENDS: [&str; 5] = ["_missing", "_unused", "_empty", "_exposed", "_unsigned"];
    const NAMES: [&str; 4] = [
        "product_unknown",
        "upstream_unknown",
        "issuer_unknown",
        "cors_unknown",
    ];
    ENDS.iter().any(|end| code.ends_with(end)) || NAMES.contains(&code)
}

/// Every table in turn. What is at fault is left out or has its default, and the fault is kept.
pub(super) fn whole(root: &Table<'_>) -> Config {
    let server = server::server(root.table("server", "server").as_ref());
    let listeners = listeners(root);
    let (admin, admin_address) = match root.table("admin", "admin") {
        Some(table) => (Some(admin::admin(&table)), Some(table.span_of("address"))),
        None => (None, None),
    };
    let identity = identity::identity(root.table("identity", "identity").as_ref());
    let telemetry = telemetry::telemetry(root.table("telemetry", "telemetry").as_ref());
    let known = known(root);
    let issuers = issuers(root);
    let products = root
        .named("products", "products.NAME")
        .iter()
        .filter_map(product::product)
        .collect();
    let upstreams = named(root, "upstreams", "upstreams.NAME", upstream::upstream);
    let cors = named(root, "cors", "cors.NAME", cors::cors);
    let routes = routes(root, &known);
    let sessions = root
        .table("sessions", "sessions")
        .and_then(|table| session::sessions(&table, &known));

    let admin_place = admin.as_ref().map(|admin| admin.address).zip(admin_address);
    between::addresses(root.walk, &listeners, admin_place);
    between::routes(root, &routes.placed, &identity, sessions.as_ref());
    between::cors(root, &routes.whole, &cors);
    let mut issuers = between::issuers(root, issuers, &routes.whole, sessions.as_ref());
    for names in [
        &known.products,
        &known.upstreams,
        &known.issuers,
        &known.cors,
    ] {
        names.warn_unused(root.walk);
    }
    issuers.sort_by(|a, b| a.terms.name.cmp(&b.terms.name));
    Config {
        server,
        listeners: listeners
            .into_iter()
            .map(|(listener, _)| listener)
            .collect(),
        admin,
        identity,
        telemetry,
        issuers,
        products,
        upstreams,
        cors,
        routes: routes.whole.into_iter().map(|(route, _)| route).collect(),
        sessions,
    }
}

fn known<'w>(root: &Table<'w>) -> Known<'w> {
    let mut issuers = Names::of(root, ISSUERS);
    if root.has("sessions") {
        issuers.add(OWN_ISSUER);
    }
    Known {
        products: Names::of(root, PRODUCTS),
        upstreams: Names::of(root, UPSTREAMS),
        issuers,
        cors: Names::of(root, CORS),
        own: between::own_issuer_name(root),
    }
}

fn listeners(root: &Table<'_>) -> Vec<Placed<super::model::Listener>> {
    let tables = root.named("listeners", "listeners.NAME");
    // One that is no table is told of as that.
    if root.names("listeners").is_empty() {
        let help = "add a table [listeners.public] with address = \"0.0.0.0:8080\"";
        root.refuse::<()>(
            "listener_missing",
            "there is no listener: nobody could connect",
            help,
        );
    }
    tables
        .iter()
        .filter_map(|table| {
            Some((
                Arc::new(listener::listener(table)?),
                table.span_of("address"),
            ))
        })
        .collect()
}

fn issuers(root: &Table<'_>) -> Vec<Placed<super::model::Issuer>> {
    root.named("issuers", "issuers.NAME")
        .iter()
        .filter_map(|table| Some((Arc::new(issuer::issuer(table)?), table.span_of("issuer"))))
        .collect()
}

/// The routes that could be read.
#[derive(Default)]
struct Routes {
    /// Whole.
    whole: Vec<Placed<Route>>,
    /// These, and those of which no more is known than which requests they are for.
    placed: Vec<Placed<Route>>,
}

fn routes<'w>(root: &Table<'w>, known: &Known<'w>) -> Routes {
    let mut routes = Routes::default();
    for table in &root.named("routes", "routes.NAME") {
        let place = |route| (Arc::new(route), table.span.clone());
        match route::route(table, known) {
            Some(Reading::Whole(route)) => {
                let placed = place(route);
                routes.placed.push(placed.clone());
                routes.whole.push(placed);
            }
            Some(Reading::Place(route)) => routes.placed.push(place(route)),
            None => {}
        }
    }
    routes
}

fn named<T>(
    root: &Table<'_>,
    key: &'static str,
    schema: &'static str,
    read: impl Fn(&Table<'_>) -> Option<T>,
) -> BTreeMap<Arc<str>, Arc<T>> {
    root.named(key, schema)
        .iter()
        .filter_map(|table| Some((table.name.into(), Arc::new(read(table)?))))
        .collect()
}
