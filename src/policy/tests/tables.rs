//! Route tables: the tree finds what the oracle finds, whatever the order.

use std::sync::Arc;

use super::oracle::{self, Fate, Rule};
use super::route;
use crate::policy::{Found, Host, RequestPath, Route, RouteTable};

const RULES: [Rule; 18] = [
    rule("", "/", &[]),
    rule("", "/*", &[]),
    rule("", "/*", &["GET"]),
    rule("", "/a", &[]),
    rule("", "/a", &["GET", "PUT"]),
    rule("", "/a", &["PUT"]),
    rule("", "/a/", &[]),
    rule("", "/a/*", &["GET"]),
    rule("", "/{x}", &[]),
    rule("", "/{y}", &["GET"]),
    rule("", "/{x}/b", &[]),
    rule("", "/{x}/*", &[]),
    rule("", "/a/{y}", &[]),
    rule("", "/a/b", &["PUT"]),
    rule("h.t", "/a/*", &[]),
    rule("h.t", "/{x}", &["GET"]),
    rule("*.t", "/*", &["GET"]),
    rule("*.h.t", "/a", &[]),
];

const fn rule(host: &'static str, path: &'static str, methods: &'static [&'static str]) -> Rule {
    Rule {
        host,
        path,
        methods,
    }
}

const PATHS: [&str; 10] = [
    "/", "/a", "/a/", "/b", "/a/b", "/a/b/", "/b/b", "/a/b/c", "/c/b/b", "/a/a",
];
const HOSTS: [&str; 4] = ["h.t", "x.t", "x.h.t", "t"];
const METHODS: [&str; 3] = ["GET", "PUT", "get"];

fn build(rules: &[(usize, Rule)]) -> Result<RouteTable, usize> {
    let routes = rules
        .iter()
        .map(|(name, rule)| Arc::new(route(&name.to_string(), rule.host, rule.path, rule.methods)));
    RouteTable::new(routes).map_err(|ties| ties.len())
}

fn fate(table: &RouteTable, host: &str, path: &str, method: &str) -> Fate {
    let host = Host::parse(host).unwrap();
    match table.find(Some(&host), path, method) {
        Found::Route(route) => Fate::Rule(route.name.parse().unwrap()),
        Found::MethodRefused { allowed, .. } => {
            let known = allowed
                .iter()
                .map(|name| METHODS.into_iter().find(|known| known == name));
            Fate::Allowed(known.map(Option::unwrap).collect())
        }
        Found::Unknown => Fate::Unknown,
    }
}

/// The places of up to three different rules, every combination once.
fn combinations() -> impl Iterator<Item = Vec<usize>> {
    let places = 0..RULES.len();
    places.clone().flat_map(move |a| {
        (a..RULES.len()).flat_map(move |b| {
            (b..RULES.len()).map(move |c| {
                let mut all = vec![a, b, c];
                all.dedup();
                all
            })
        })
    })
}

#[test]
fn every_small_table_finds_what_the_oracle_finds() {
    let mut compared = 0;
    for places in combinations() {
        let rules: Vec<Rule> = places.iter().map(|at| RULES[*at]).collect();
        let numbered: Vec<_> = rules.iter().copied().enumerate().collect();
        let ties = rules
            .iter()
            .enumerate()
            .any(|(at, a)| rules[at + 1..].iter().any(|b| oracle::tie(a, b)));
        let table = build(&numbered);
        assert_eq!(table.is_err(), ties, "{rules:?}");
        let Ok(table) = table else { continue };
        let backwards: Vec<_> = numbered.iter().rev().copied().collect();
        let backwards = build(&backwards).expect("ties do not depend on the order");
        for (host, path) in HOSTS
            .iter()
            .flat_map(|host| PATHS.map(|path| (*host, path)))
        {
            for method in METHODS {
                let expected = oracle::find(&rules, host, &oracle::segments(path), method);
                assert_eq!(
                    fate(&table, host, path, method),
                    expected,
                    "{method} {host}{path} {rules:?}"
                );
                assert_eq!(
                    fate(&backwards, host, path, method),
                    expected,
                    "{method} {host}{path} {rules:?}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 50_000, "{compared}");
}

#[test]
fn a_tie_names_both_routes() {
    let routes = [
        route("one", "a.t", "/x/{a}", &["GET", "PUT"]),
        route("two", "", "/x/{a}", &["GET"]),
        route("three", "a.t", "/x/{b}", &["PUT"]),
    ];
    let ties = RouteTable::new(routes.map(Arc::new)).expect_err("a tie");
    let names: Vec<_> = ties.iter().map(|tie| (&*tie.first, &*tie.second)).collect();
    assert_eq!(names, [("one", "three")]);
}

#[test]
fn each_of_ten_thousand_routes_is_found() {
    let routes: Vec<Arc<Route>> = (0..10_000)
        .map(|at| {
            let host = if at % 2 == 0 {
                String::new()
            } else {
                format!("h{at}.t")
            };
            Arc::new(route(
                &at.to_string(),
                &host,
                &format!("/p{at}/{{x}}/*"),
                &[],
            ))
        })
        .collect();
    let table = RouteTable::new(routes).unwrap();
    for at in 0..10_000 {
        let host = format!("h{at}.t");
        assert_eq!(
            fate(&table, &host, &format!("/p{at}/q/r/s"), "GET"),
            Fate::Rule(at)
        );
        assert_eq!(
            fate(&table, &host, &format!("/p{at}"), "GET"),
            Fate::Unknown
        );
    }
}

#[test]
fn a_method_that_other_servers_take_for_a_named_one_passes_no_looser_route() {
    let table = build(&[
        (0, rule("", "/*", &[])),
        (1, rule("", "/*", &["DELETE", "PUT"])),
        (2, rule("", "/get", &["GET"])),
    ])
    .unwrap();
    let rows = [
        ("/a", "DELETE", Some("1")),
        ("/a", "GET", Some("0")),
        ("/a", "get", Some("0")),
        ("/a", "delete", None),
        ("/a", "Put", None),
        ("/get", "GET", Some("2")),
        ("/get", "get", Some("2")),
    ];
    for (target, method, expected) in rows {
        let path = RequestPath::parse(target).unwrap();
        let found = table.find_alike(None, &path, method);
        let name = found.as_ref().ok().and_then(Found::name);
        assert_eq!(name, expected, "{method} {target}: {found:?}");
    }
}

#[test]
fn without_a_host_only_routes_for_any_host_are_found() {
    let table = build(&[(0, rule("h.t", "/*", &[])), (1, rule("", "/a", &[]))]).unwrap();
    assert_eq!(table.find(None, "/a", "GET").name(), Some("1"));
    assert_eq!(table.find(None, "/b", "GET").name(), None);
    assert_eq!(table.find(None, "*", "OPTIONS").name(), None);
}
