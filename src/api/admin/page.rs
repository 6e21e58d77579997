//! The page at `/`: one file, filled in here, without a script. Everything that is put in is escaped.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header;
use http::{Response, StatusCode};

use super::super::answer;
use super::view::{self, RoutesView};
use crate::config::Config;
use crate::control::{IssuerStatus, KeyOrigin, ReloadOutcome, Status};
use crate::gate::Reason;
use crate::telemetry::{Health, ServerHealth, Telemetry};

/// Whether the page stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// It does, until somebody asks anew: nobody loses a place, a selection or a sentence that is being read out
    /// (WCAG 2.2, F41).
    Still,
    /// It reads itself anew: somebody has asked for that.
    Live,
}

impl Pace {
    /// What the query of the page's address asks for.
    pub(super) fn asked(query: Option<&str>) -> Self {
        match query {
            Some("live") => Self::Live,
            _ => Self::Still,
        }
    }

    fn in_head(self) -> &'static str {
        match self {
            Self::Still => "",
            Self::Live => "<meta http-equiv=\"refresh\" content=\"15\">\n",
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::Still => {
                "This page stays as it is; there is <a href=\"/?live\">one that reads itself anew</a> every 15 seconds."
            }
            Self::Live => {
                "This page reads itself anew every 15 seconds; there is <a href=\"/\">one that stays as it is</a>."
            }
        }
    }
}

/// The page of this moment.
pub(super) fn render(
    config: &Config,
    facts: &Status,
    telemetry: &Telemetry,
    pace: Pace,
) -> Response<Bytes> {
    let html = fill(PAGE, |name| match name {
        "pace" => pace.in_head().to_owned(),
        "paced" => pace.told().to_owned(),
        "state" => view::state(facts).to_owned(),
        "version" => env!("CARGO_PKG_VERSION").to_owned(),
        "generation" => facts.generation.to_string(),
        "reload" => reload(facts),
        "listeners" => listeners(config),
        "issuers" => or_none(4, facts.issuers.iter().map(issuer).collect()),
        "upstreams" => or_none(3, upstreams(telemetry)),
        "routes" => routes(config),
        "refusals" => or_none(2, refusals(telemetry)),
        unknown => unreachable!("the page has no place for `{unknown}`"),
    });
    let mut response = answer::body(StatusCode::OK, "text/html; charset=utf-8", html);
    answer::put(&mut response, header::CONTENT_SECURITY_POLICY, &POLICY);
    response
}

/// What a rejected file looked like to `check`.
fn reload(facts: &Status) -> String {
    match &facts.last_reload {
        Some(last) if last.outcome == ReloadOutcome::Rejected => format!(
            "<div class=\"warn\"><p>The file was read again and rejected; generation {} goes on.</p><pre tabindex=\"0\">{}</pre></div>",
            facts.generation,
            escaped(last.text.trim_end())
        ),
        _ => String::new(),
    }
}

fn listeners(config: &Config) -> String {
    let row = |name: &str, address: &str, speaks: &str| {
        let (name, address) = (escaped(name), escaped(address));
        format!("<tr><td>{name}</td><td><code>{address}</code></td><td>{speaks}</td></tr>")
    };
    let listeners = config.listeners.iter().map(|listener| {
        let speaks = listener.scheme().as_str();
        row(&listener.name, &listener.address.to_string(), speaks)
    });
    listeners.collect()
}

/// A row, and one below it for what a provider said: that may be long.
fn issuer(issuer: &IssuerStatus) -> String {
    let state = format!("{:?}", issuer.state).to_lowercase();
    let confirmed = match (issuer.source, issuer.age_s) {
        (KeyOrigin::Fixed, _) => "with the configuration".to_owned(),
        (KeyOrigin::Remote, Some(age)) => format!("{age} s ago"),
        (KeyOrigin::Remote, None) => "never".to_owned(),
    };
    let row = format!(
        "<tr><td>{}</td><td class=\"number\">{}</td><td>{state}</td><td>{confirmed}</td></tr>",
        escaped(&issuer.name),
        issuer.keys
    );
    let error = issuer.last_error.as_deref().map(escaped);
    let error = error.map(|error| {
        format!("<tr class=\"told\"><td class=\"quiet\" colspan=\"4\">{error}</td></tr>")
    });
    row + &error.unwrap_or_default()
}

/// Those with the most servers that take no requests come first.
fn upstreams(telemetry: &Telemetry) -> String {
    let servers = telemetry.metrics().servers();
    let of_one = servers.chunk_by(|one, next| one.upstream == next.upstream);
    let mut rows: Vec<(usize, String)> = of_one.map(upstream).collect();
    rows.sort_by_key(|(passed_over, _)| Reverse(*passed_over));
    let more = match rows.len() > NAMES_MAX {
        true => "<tr><td colspan=\"3\">…</td></tr>",
        false => "",
    };
    let rows = rows.into_iter().take(NAMES_MAX).map(|(_, row)| row);
    rows.collect::<String>() + more
}

/// How many of an upstream's servers are passed over, and its row.
fn upstream(servers: &[ServerHealth]) -> (usize, String) {
    let passed_over = servers
        .iter()
        .filter(|server| server.health == Health::PassedOver);
    let names: Vec<_> = passed_over.map(|server| escaped(&server.server)).collect();
    let told = match names.as_slice() {
        [] => "none".to_owned(),
        some => format!("<code>{}</code>", some.join(", ")),
    };
    let (name, count) = (escaped(&servers[0].upstream), servers.len());
    let row = format!("<tr><td>{name}</td><td class=\"number\">{count}</td><td>{told}</td></tr>");
    (names.len(), row)
}

fn routes(config: &Config) -> String {
    let counts = RoutesView::of(config.routes.iter().map(AsRef::as_ref));
    let rows = [
        ("entitled", counts.entitled),
        ("authenticated", counts.authenticated),
        ("public", counts.public),
    ];
    let row = |(access, count): (&str, usize)| {
        let names = config
            .routes
            .iter()
            .filter(|route| route.requirement.access() == access);
        let mut names: Vec<_> = names
            .take(NAMES_MAX)
            .map(|route| escaped(&route.name))
            .collect();
        if count > NAMES_MAX {
            names.push("…".to_owned());
        }
        format!(
            "<tr><td>{access}</td><td class=\"number\">{count}</td><td>{}</td></tr>",
            names.join(", ")
        )
    };
    rows.into_iter().map(row).collect()
}

fn refusals(telemetry: &Telemetry) -> String {
    let refusals = telemetry.metrics().refusals().into_iter();
    let row = |(reason, count): (Reason, u64)| {
        let reason = reason.as_str();
        format!("<tr><td><code>{reason}</code></td><td class=\"number\">{count}</td></tr>")
    };
    refusals.map(row).collect()
}

/// The rows of a table so wide, or a word that there are none.
fn or_none(columns: u8, rows: String) -> String {
    match rows.is_empty() {
        true => format!("<tr><td class=\"quiet\" colspan=\"{columns}\">none</td></tr>"),
        false => rows,
    }
}

/// Puts a value into every `{{place}}` of `template`, in one pass: what is put in is not searched.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut html = String::with_capacity(2 * template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after
            .split_once("}}")
            .expect("every place of the page is closed");
        html.push_str(before);
        html.push_str(&value(name));
        rest = after;
    }
    html.push_str(rest);
    html
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' => {
                write!(html, "&#{};", u32::from(c)).expect("a String takes any text");
            }
            _ => html.push(c),
        }
    }
    html
}

/// No script, nothing from elsewhere, and the page's own style by its digest (CSP 3 §2.3.1).
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let (_, after) = PAGE.split_once("<style>").expect("the page has a style");
    let (style, _) = after.split_once("</style>").expect("the style ends");
    let digest = STANDARD.encode(digest::digest(&digest::SHA256, style.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// How many routes of one access, and how many upstreams, are named.
const NAMES_MAX: usize = 40;

const PAGE: &str = include_str!("page.html");
