//! Finds the most specific route: exact host, then wildcard host, then any; then the path that is literal for longest;
//! then named methods. The order of the file never matters, and the cost does not grow with the number of routes.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use super::host::Host;
use super::path::{PathError, RequestPath};
use super::route::{HostPattern, Methods, Route, Segment};

/// All routes of one configuration, ready to be searched.
#[derive(Debug, Default)]
pub struct RouteTable {
    exact: HashMap<Box<str>, PathTree>,
    wildcard: HashMap<Box<str>, PathTree>,
    any: PathTree,
}

/// Two routes that match the same requests, neither more specific than the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    /// The route that was there first.
    pub first: Arc<str>,
    /// The one that ties with it.
    pub second: Arc<str>,
}

/// What a search found.
#[derive(Debug)]
pub enum Found<'t> {
    /// The most specific route.
    Route(&'t Arc<Route>),
    /// The path is known, the method is not: the methods that are, sorted.
    MethodRefused {
        /// For `Allow` (RFC 9110 §10.2.1).
        allowed: Vec<&'t str>,
        /// One route of that path, for the log.
        route: &'t Arc<Route>,
    },
    /// No route has this path.
    Unknown,
}

impl Found<'_> {
    /// The route's name, for comparison.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Route(route) | Self::MethodRefused { route, .. } => Some(&route.name),
            Self::Unknown => None,
        }
    }
}

impl RouteTable {
    /// Builds the table.
    ///
    /// # Errors
    /// Every pair of routes that tie.
    pub fn new(routes: impl IntoIterator<Item = Arc<Route>>) -> Result<Self, Vec<Tie>> {
        let mut table = Self::default();
        let mut ties = Vec::new();
        for route in routes {
            table.insert(&route, &mut ties);
        }
        ties.dedup();
        if ties.is_empty() {
            Ok(table)
        } else {
            Err(ties)
        }
    }

    /// Finds the most specific route for a request, as every server would that reads path and method in its own way.
    ///
    /// # Errors
    /// [`PathError::Ambiguous`] when another reading of the path, with its escapes decoded or without its `;`
    /// parameters, or of the method, without its case, leads to another route.
    pub fn find_alike(
        &self,
        host: Option<&Host>,
        path: &RequestPath,
        method: &str,
    ) -> Result<Found<'_>, PathError> {
        let spelled = path.spelled();
        let found = self.find(host, &spelled, method);
        let agrees = |reading: &str| self.find(host, reading, method).name() == found.name();
        if !path.other_readings().all(|reading| agrees(&reading)) {
            return Err(PathError::Ambiguous(
                "escapes or parameters in the path decide which route it is",
            ));
        }
        if matches!(found, Found::Route(_)) && method.bytes().any(|byte| byte.is_ascii_lowercase())
        {
            // A method has a case (RFC 9110 §9.1), but not to every server: what one route refuses is not let in by another.
            let capital = self.find(host, &spelled, &method.to_ascii_uppercase());
            if capital.name() != found.name() {
                return Err(PathError::Ambiguous(
                    "the case of the method decides which route it is",
                ));
            }
        }
        Ok(found)
    }

    /// Finds the most specific route for a path read in one way. A path that is known for a host is never sought again under a
    /// less specific one: a method that the most specific path refuses is refused.
    pub fn find(&self, host: Option<&Host>, path: &str, method: &str) -> Found<'_> {
        let leaf = host
            .and_then(|host| self.find_named(host.as_str(), path))
            .or_else(|| self.any.find(path));
        leaf.map_or(Found::Unknown, |leaf| leaf.choose(method))
    }

    /// Exact host first, then the wildcards, the longest suffix first.
    fn find_named(&self, host: &str, path: &str) -> Option<&Leaf> {
        let exact = self.exact.get(host).and_then(|tree| tree.find(path));
        if exact.is_some() || self.wildcard.is_empty() {
            return exact;
        }
        let suffixes = host.match_indices('.').map(|(at, _)| &host[at + 1..]);
        suffixes
            .filter_map(|suffix| self.wildcard.get(suffix))
            .find_map(|tree| tree.find(path))
    }

    fn insert(&mut self, route: &Arc<Route>, ties: &mut Vec<Tie>) {
        if route.hosts.is_empty() {
            self.any.insert(route, ties);
        }
        // One that is named twice is no tie of the route with itself.
        let mut seen = HashSet::default();
        for host in route.hosts.iter().filter(|host| seen.insert(*host)) {
            let tree = match host {
                HostPattern::Exact(name) => self.exact.entry(name.clone()).or_default(),
                HostPattern::Wildcard(suffix) => self.wildcard.entry(suffix.clone()).or_default(),
            };
            tree.insert(route, ties);
        }
    }
}

/// The paths of one host: a node a segment.
#[derive(Debug, Default)]
struct PathTree {
    literal: HashMap<Box<str>, PathTree>,
    parameter: Option<Box<PathTree>>,
    here: Leaf,
    below: Leaf,
}

/// The routes of one path: at most one for any method, and one for each named method.
#[derive(Debug, Default)]
struct Leaf {
    any: Option<Arc<Route>>,
    named: HashMap<Box<str>, Arc<Route>>,
}

impl PathTree {
    fn insert(&mut self, route: &Arc<Route>, ties: &mut Vec<Tie>) {
        let mut node = self;
        for segment in route.path.segments() {
            node = match segment {
                Segment::Literal(text) => node.literal.entry(text.clone()).or_default(),
                Segment::Parameter(_) => node.parameter.get_or_insert_default(),
            };
        }
        let leaf = if route.path.below() {
            &mut node.below
        } else {
            &mut node.here
        };
        leaf.insert(route, ties);
    }

    fn find(&self, path: &str) -> Option<&Leaf> {
        let rest = path.strip_prefix('/')?;
        self.descend((!rest.is_empty()).then_some(rest))
    }

    /// Literal before parameter before "all below": the first that leads to a route wins.
    fn descend(&self, rest: Option<&str>) -> Option<&Leaf> {
        let Some(rest) = rest else {
            return self.here.routes_anything().or(self.below.routes_anything());
        };
        let (segment, rest) = rest
            .split_once('/')
            .map_or((rest, None), |(segment, rest)| (segment, Some(rest)));
        let literal = self
            .literal
            .get(segment)
            .and_then(|node| node.descend(rest));
        let parameter = || {
            self.parameter
                .as_ref()
                .filter(|_| !segment.is_empty())
                .and_then(|node| node.descend(rest))
        };
        literal
            .or_else(parameter)
            .or_else(|| self.below.routes_anything())
    }
}

impl Leaf {
    fn routes_anything(&self) -> Option<&Self> {
        (self.any.is_some() || !self.named.is_empty()).then_some(self)
    }

    fn insert(&mut self, route: &Arc<Route>, ties: &mut Vec<Tie>) {
        let Methods::Named(names) = &route.methods else {
            let Some(first) = &self.any else {
                return self.any = Some(route.clone());
            };
            return ties.push(Tie {
                first: first.name.clone(),
                second: route.name.clone(),
            });
        };
        for name in names {
            match self.named.get(name) {
                Some(first) => ties.push(Tie {
                    first: first.name.clone(),
                    second: route.name.clone(),
                }),
                None => drop(self.named.insert(name.clone(), route.clone())),
            }
        }
    }

    fn choose(&self, method: &str) -> Found<'_> {
        if let Some(route) = self.named.get(method).or(self.any.as_ref()) {
            return Found::Route(route);
        }
        let mut allowed: Vec<&str> = self.named.keys().map(|name| &**name).collect();
        allowed.sort_unstable();
        let route = self
            .named
            .values()
            .min_by_key(|route| &route.name)
            .expect("a leaf that was found has a route");
        Found::MethodRefused { allowed, route }
    }
}
