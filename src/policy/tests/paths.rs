//! Paths: the corpus, and that every server reads the same path in what passes.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::oracle::{self, Fate, Rule};
use super::route;
use crate::corpus;
use crate::policy::{Found, PathError, RequestPath, RouteTable};

#[path = "../../../tests/fuzz/checks/request_path.rs"]
mod request_path_check;

#[test]
fn the_fuzz_corpus_of_paths_passes() {
    corpus::replay("request_path", request_path_check::check);
}

#[test]
fn every_row_of_the_path_corpus_meets_its_verdict() {
    let rows = corpus::rows(include_str!("../../../tests/data/paths.txt"));
    assert!(rows.len() >= 150);
    for row in rows {
        // What ends a target on the wire is the codec's to refuse, and no text comes here that is none.
        let Some(target) = std::str::from_utf8(&row.bytes)
            .ok()
            .filter(|text| !text.contains(['\r', '\n', '\0', ' ']))
        else {
            assert!(
                ["malformed", "ambiguous"].contains(&row.verdict),
                "{}",
                row.note
            );
            continue;
        };
        let verdict = match RequestPath::parse(target) {
            Ok(path) if path.target() == target => "=".to_owned(),
            Ok(path) => path.target().to_owned(),
            Err(PathError::TooLong(_)) => "too_large".to_owned(),
            Err(PathError::Ambiguous(_)) => "ambiguous".to_owned(),
        };
        assert_eq!(verdict, row.verdict, "{}: {target:.80}", row.note);
    }
}

#[test]
fn a_parameter_is_found_by_its_name_however_it_is_escaped() {
    let rows = [
        ("/a?access_token=x", true),
        ("/a?b=1&access_token", true),
        ("/a?access%5Ftoken=x", true),
        ("/a?%61ccess_toke%6e=x", true),
        ("/a?b=access_token", false),
        ("/a?access_tokens=x", false),
        ("/a?access%255Ftoken=x", false),
        ("/a?%ff%=x", false),
        ("/a", false),
    ];
    for (target, found) in rows {
        let parsed = RequestPath::parse(target).unwrap();
        assert_eq!(parsed.has_parameter("access_token"), found, "{target}");
    }
}

#[test]
fn the_query_is_apart_and_untouched() {
    let rows = [
        ("/a", "/a", None),
        ("/a?", "/a", Some("")),
        ("/%61?%61", "/a", Some("%61")),
        ("/a?b?c", "/a", Some("b?c")),
        ("*", "*", None),
    ];
    for (target, path, query) in rows {
        let parsed = RequestPath::parse(target).unwrap();
        assert_eq!((parsed.as_str(), parsed.query()), (path, query), "{target}");
    }
}

#[test]
fn a_prefix_is_stripped_at_the_border_of_a_segment_alone() {
    let rows = [
        ("/crm", "/crm", Some("/")),
        ("/crm/", "/crm", Some("/")),
        ("/crm/x", "/crm", Some("/x")),
        ("/crm/x", "/crm/", Some("/x")),
        ("/crm/x?y=/crm", "/crm", Some("/x?y=/crm")),
        ("/crm?y", "/crm", Some("/?y")),
        ("/crm/x/", "/crm", Some("/x/")),
        ("/crm/%2561", "/crm", Some("/%2561")),
        ("/a/b/c", "/a/b", Some("/c")),
        ("/caf%C3%A9/x", "/café", Some("/x")),
        ("/caf%c3%a9", "/café", Some("/")),
        ("/x", "/", Some("/x")),
        ("/crm;a/x", "/crm", None),
        ("/crmx", "/crm", None),
        ("/cr", "/crm", None),
        ("/CRM/x", "/crm", None),
        ("/", "/crm", None),
        ("*", "/crm", None),
        ("/crm/;x/y", "/crm", None),
    ];
    for (target, prefix, expected) in rows {
        let stripped = RequestPath::parse(target).and_then(|path| path.without_prefix(prefix));
        let stripped = stripped.as_ref().map(RequestPath::target).ok();
        assert_eq!(stripped, expected, "{target} without {prefix}");
    }
}

#[test]
fn a_path_that_other_servers_take_elsewhere_finds_no_route() {
    let rows = [
        ("/a%40b", true),
        ("/a;x", false),
        ("/a%3bx", false),
        ("/a%3Bx/b", false),
        ("/a/%40b", false),
        ("/a/%40b;x", false),
        ("/t/%40b", true),
        ("/t/x;y", true),
        ("/t/x%3By/b", true),
        ("/x;y/b", true),
        ("/a/c;x", true),
        ("/a/b;x", false),
    ];
    for (target, expected) in rows {
        let path = RequestPath::parse(target).unwrap();
        let found = TABLE.find_alike(None, &path, "GET");
        assert_eq!(found.is_ok(), expected, "{target}: {found:?}");
    }
}

#[test]
fn a_server_that_takes_parameters_off_before_it_decodes_finds_the_same_route_too() {
    let routes = [("all", "/*"), ("strict", "/a@b/{x}")];
    let routes = routes.map(|(name, path)| Arc::new(route(name, "", path, &[])));
    let table = RouteTable::new(routes).unwrap();
    for (target, expected) in [("/a%40b;v/%3Bc", false), ("/a%40c;v/%3Bc", true)] {
        let path = RequestPath::parse(target).unwrap();
        let found = table.find_alike(None, &path, "GET");
        assert_eq!(found.is_ok(), expected, "{target}: {found:?}");
    }
}

#[test]
fn a_pattern_matches_what_a_uri_has_to_escape() {
    let names = ["café", "my files"];
    let routes = names.map(|name| Arc::new(route(name, "", &format!("/{name}/*"), &[])));
    let table = RouteTable::new(routes).unwrap();
    for (target, name) in [
        ("/caf%C3%A9/x", "café"),
        ("/caf%c3%a9", "café"),
        ("/my%20files/x", "my files"),
        ("/my%20files/x;v=1", "my files"),
        ("/caf%C3%A9/%40;v/x", "café"),
    ] {
        let path = RequestPath::parse(target).unwrap();
        let found = table.find_alike(None, &path, "GET").unwrap();
        assert_eq!(found.name(), Some(name), "{target}");
        assert_eq!(path.as_str(), target);
    }
}

const RULES: [Rule; 9] = [
    rule("/*"),
    rule("/a"),
    rule("/a/*"),
    rule("/a/b"),
    rule("/a/b/*"),
    rule("/a/@b/*"),
    rule("/t/{x}"),
    rule("/t/{x}/b"),
    rule("/A"),
];

const fn rule(path: &'static str) -> Rule {
    Rule {
        host: "",
        path,
        methods: &[],
    }
}

static TABLE: LazyLock<RouteTable> = LazyLock::new(|| {
    let routes = RULES.iter().enumerate();
    RouteTable::new(
        routes.map(|(name, rule)| Arc::new(route(&name.to_string(), "", rule.path, &[]))),
    )
    .expect("a table without ties")
});

/// Pieces of which paths are made that parsers have quarrelled about.
const PIECES: [&str; 44] = [
    "a", "b", "t", "A", "x", "/", "/", "/", "/a", "/b", "/a/b", "/t/", "//", ".", "..", "/..",
    "/./", "%2e", "%2E%2e", "%2f", "%5C", "\\", ";", ";x", ";x=y", "/;", "..;", "%3b", "%3Bx",
    "%61", "%62", "%41", "%25", "%2561", "%40b", "@b", "%C3%A9", "%c0%ae", "%00", "%20", "%", "#",
    "é", "?",
];

/// A server that does nothing to a path.
fn reads_raw(path: &str) -> Vec<String> {
    oracle::segments(path).into_iter().map(Into::into).collect()
}

/// A server that decodes, takes backslashes for slashes, merges slashes and resolves dots.
fn reads_decoded(path: &str) -> Vec<String> {
    resolve(&unescape(path).replace('\\', "/"))
}

/// A server that takes parameters off every segment before it decodes and resolves, as servlets have it.
fn reads_without_parameters(path: &str) -> Vec<String> {
    resolve(&unescape(&without_parameters(path)))
}

/// A server that decodes first and takes parameters off then.
fn reads_without_decoded_parameters(path: &str) -> Vec<String> {
    resolve(&without_parameters(&unescape(path)))
}

fn without_parameters(path: &str) -> String {
    let segments = path.split('/');
    let stems = segments.map(|segment| &segment[..segment.find(';').unwrap_or(segment.len())]);
    stems.collect::<Vec<_>>().join("/")
}

fn resolve(path: &str) -> Vec<String> {
    let mut segments: Vec<String> = Vec::new();
    let folder =
        path.len() > 1 && (path.ends_with('/') || path.ends_with("/.") || path.ends_with("/.."));
    for segment in path
        .split('/')
        .filter(|segment| !segment.is_empty() && *segment != ".")
    {
        if segment == ".." {
            segments.pop();
        } else {
            segments.push(segment.to_owned());
        }
    }
    if folder {
        segments.push(String::new());
    }
    segments
}

fn unescape(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .filter(|_| *first == b'%')
        {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn fate_of(segments: &[String]) -> Fate {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    oracle::find(&RULES, "", &segments, "GET")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(20_000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_passes_is_read_alike_by_every_server(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..9),
    ) {
        let target = format!("/{}", pieces.concat());
        let Ok(path) = RequestPath::parse(&target) else { return Ok(()) };
        prop_assert_eq!(RequestPath::parse(path.target()), Ok(path.clone()));
        let Ok(found) = TABLE.find_alike(None, &path, "GET") else { return Ok(()) };
        let Found::Route(found) = found else { panic!("`/*` matches all") };
        let found = Fate::Rule(found.name.parse().unwrap());
        // Judged are the client's bytes under each reading, and the upstream's bytes under each reading.
        let sent = target.split(['?', '#']).next().unwrap_or_default();
        for bytes in [sent, path.as_str()] {
            prop_assert_eq!(&fate_of(&reads_decoded(bytes)), &found);
            prop_assert_eq!(&fate_of(&reads_without_parameters(bytes)), &found);
            prop_assert_eq!(&fate_of(&reads_without_decoded_parameters(bytes)), &found);
        }
        prop_assert_eq!(&fate_of(&reads_raw(path.as_str())), &found);
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_or_its_own_canonical_form(text in ".{0,24}", escapes in "(%[0-9a-fA-F]{2}|[a-z/.;]){0,12}") {
        for target in [text.clone(), format!("/{text}"), format!("/{escapes}"), format!("/{escapes}{text}")] {
            if let Ok(path) = RequestPath::parse(&target) {
                prop_assert_eq!(RequestPath::parse(path.target()), Ok(path.clone()));
                prop_assert!(path.target().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(unescape(path.as_str()), path.decoded());
                prop_assert_eq!(unescape(target.split('?').next().unwrap_or_default()), path.decoded());
            }
        }
    }
}
