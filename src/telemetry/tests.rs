//! What operators read: labels that cannot grow, and lines that give nothing away.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::config::model::{Issuer, KeySource, ServerAddress, SubjectInLog};
use crate::config::{Config, Files, check};
use crate::gate::Reason;
use crate::policy::Route;
use crate::secret::Secret;
use crate::time::{Clock, Timestamp};
use crate::token::VerifiedTokens;

#[test]
fn a_request_counts_under_its_route_its_product_and_its_reason() {
    let telemetry = telemetry();
    let crm = route("crm", "crm");
    telemetry.request(&exchange(Some(&crm), 200, "forward", None));
    telemetry.request(&exchange(Some(&crm), 200, "forward", None));
    telemetry.request(&exchange(
        Some(&crm),
        403,
        "refuse",
        Some(Reason::ProductMissing),
    ));
    telemetry.request(&exchange(None, 404, "refuse", Some(Reason::RouteUnknown)));
    let gone = Some(Reason::UpstreamUnavailable);
    telemetry.request(&exchange(Some(&route("gone", "crm")), 502, "forward", gone));
    let would_be = Some(Reason::ScopeMissing);
    telemetry.request(&exchange(
        Some(&route("try", "crm")),
        200,
        "shadow",
        would_be,
    ));
    let text = telemetry.scrape();
    for line in [
        r#"tollgate_requests_total{route="crm",status="200"} 2"#,
        r#"tollgate_requests_total{route="crm",status="403"} 1"#,
        r#"tollgate_requests_total{route="-",status="404"} 1"#,
        r#"tollgate_decisions_total{product="crm",reason="",route="crm",verdict="forward"} 2"#,
        r#"tollgate_decisions_total{product="crm",reason="product_missing",route="crm",verdict="refuse"} 1"#,
        r#"tollgate_decisions_total{product="",reason="route_unknown",route="-",verdict="refuse"} 1"#,
        r#"tollgate_request_duration_seconds_count{route="crm"} 3"#,
        r#"tollgate_upstream_duration_seconds_count{upstream="crm"} 5"#,
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
    assert_eq!(
        telemetry.metrics().refusals(),
        [
            (Reason::RouteUnknown, 1),
            (Reason::ProductMissing, 1),
            (Reason::UpstreamUnavailable, 1)
        ]
    );
}

#[test]
fn every_metric_of_the_contract_is_told() {
    let telemetry = telemetry();
    telemetry.configure(&config(&[], "off")).unwrap();
    let metrics = telemetry.metrics();
    let _connection = metrics.connection("public");
    let _active = metrics.upstream("crm").active();
    telemetry.request(&exchange(Some(&route("crm", "crm")), 200, "forward", None));
    metrics.upstream_healthy("crm", "127.0.0.1:9101", Health::Used);
    metrics.verification(Some("main"), None, Source::Cache);
    metrics.verified_tokens(Arc::new(VerifiedTokens::new(1, [0; 32])));
    metrics.issuer_keys("main", 1);
    metrics.issuer_refresh("main", RefreshOutcome::Fetched, NOW);
    metrics.session_event("opened", "cookie");
    metrics.revocations(1);
    metrics.revocation_lag(Duration::ZERO);
    metrics.store_duration("load", Duration::ZERO);
    metrics.generation(1);
    metrics.reload("ok");
    metrics.certificate_expiry("public", NOW);
    let text = telemetry.scrape();
    for series in [
        "tollgate_requests_total{route=",
        "tollgate_decisions_total{product=",
        "tollgate_request_duration_seconds_sum{route=",
        "tollgate_upstream_duration_seconds_sum{upstream=",
        "tollgate_upstream_connections{state=\"active\",upstream=",
        "tollgate_upstream_healthy{server=",
        "tollgate_token_verifications_total{issuer=\"main\",outcome=\"accepted\",source=\"cache\"}",
        "tollgate_verified_tokens 0",
        "tollgate_issuer_keys{issuer=",
        "tollgate_issuer_refresh_total{issuer=",
        "tollgate_issuer_refresh_age_seconds{issuer=",
        "tollgate_sessions_total{event=\"opened\",transport=\"cookie\"}",
        "tollgate_revocations 1",
        "tollgate_revocation_lag_seconds 0",
        "tollgate_store_duration_seconds_sum{operation=",
        "tollgate_config_generation 1",
        "tollgate_config_reloads_total{outcome=",
        "tollgate_connections{listener=",
        "tollgate_certificate_expiry_seconds{listener=",
        "tollgate_build_info{version=",
    ] {
        let told = text.lines().any(|line| line.starts_with(series));
        assert!(told, "{series}\n{text}");
    }
}

#[test]
fn no_request_can_add_a_label() {
    let telemetry = telemetry();
    let crm = route("crm", "crm");
    for number in 0..2000u16 {
        let noise = format!("noise-{number}");
        let exchange = Exchange {
            method: &noise,
            host: &noise,
            path: &noise,
            subject: Some(&noise),
            detail: &noise,
            ..exchange(Some(&crm), number, "forward", None)
        };
        telemetry.request(&exchange);
    }
    let text = telemetry.scrape();
    assert!(!text.contains("noise"));
    let statuses = text
        .lines()
        .filter(|line| line.starts_with("tollgate_requests_total{"));
    assert_eq!(statuses.count(), 65, "64 registered statuses and `other`");
}

#[test]
fn label_values_that_join_to_the_same_text_are_two_series() {
    let telemetry = telemetry();
    telemetry.request(&exchange(Some(&route("ab", "c")), 200, "forward", None));
    telemetry.request(&exchange(Some(&route("a", "bc")), 200, "forward", None));
    let text = telemetry.scrape();
    assert!(
        text.contains(r#"{product="c",reason="",route="ab",verdict="forward"} 1"#),
        "{text}"
    );
    assert!(
        text.contains(r#"{product="bc",reason="",route="a",verdict="forward"} 1"#),
        "{text}"
    );
}

#[test]
fn a_route_that_wants_another_product_after_a_reload_counts_under_that() {
    let telemetry = telemetry();
    telemetry.request(&exchange(Some(&route("crm", "crm")), 200, "forward", None));
    telemetry.request(&exchange(
        Some(&route("crm", "crm_pro")),
        200,
        "forward",
        None,
    ));
    let text = telemetry.scrape();
    assert!(
        text.contains(r#"{product="crm",reason="",route="crm",verdict="forward"} 1"#),
        "{text}"
    );
    assert!(
        text.contains(r#"{product="crm_pro",reason="",route="crm",verdict="forward"} 1"#),
        "{text}"
    );
}

#[test]
fn names_that_left_the_configuration_leave_the_metrics() {
    let telemetry = telemetry();
    telemetry.request(&exchange(Some(&route("old", "crm")), 200, "forward", None));
    telemetry.request(&exchange(Some(&route("crm", "crm")), 200, "forward", None));
    telemetry.metrics().issuer_keys("gone", 2);
    let repriced = config(&[("crm", "crm_pro")], "off");
    telemetry.configure(&repriced).unwrap();
    telemetry.request(&exchange(Some(&repriced.routes[0]), 200, "forward", None));
    let text = telemetry.scrape();
    assert!(text.contains(r#"product="crm_pro""#) && !text.contains(r#"product="crm""#));
    assert!(
        text.contains(r#"route="crm""#) && !text.contains(r#"route="old""#),
        "{text}"
    );
    assert!(!text.contains("gone"), "{text}");
}

#[test]
fn keys_that_come_with_the_configuration_have_no_age() {
    let (telemetry, mut config) = (telemetry(), config(&[], "off"));
    let ages = || telemetry.scrape().matches("refresh_age_seconds{").count();
    telemetry.configure(&config).unwrap();
    assert_eq!(ages(), 1);
    config.issuers = vec![Arc::new(Issuer {
        terms: config.issuers[0].terms.clone(),
        keys: KeySource::Fixed(Arc::default()),
    })];
    telemetry.configure(&config).unwrap();
    assert_eq!(ages(), 0);
}

#[test]
fn every_server_is_told_of_from_the_start_and_none_that_is_gone() {
    let telemetry = telemetry();
    let mut config = config(&[], "off");
    let healthy = |server: &str, value: u8| {
        let labels = format!(r#"{{server="{server}",upstream="crm"}}"#);
        let line = format!("tollgate_upstream_healthy{labels} {value}");
        telemetry.scrape().lines().any(|known| known == line)
    };
    telemetry.configure(&config).unwrap();
    assert!(healthy("127.0.0.1:9101", 1));
    let metrics = telemetry.metrics();
    metrics.upstream_healthy("crm", "127.0.0.1:9101", Health::PassedOver);
    telemetry.configure(&config).unwrap();
    assert!(healthy("127.0.0.1:9101", 0));
    let upstream = Arc::make_mut(config.upstreams.get_mut("crm").unwrap());
    upstream.servers = vec![ServerAddress::Ip(([127, 0, 0, 1], 9102).into())];
    telemetry.configure(&config).unwrap();
    assert!(healthy("127.0.0.1:9102", 1));
    // Found by a request that began before it went.
    metrics.upstream_healthy("crm", "127.0.0.1:9101", Health::PassedOver);
    assert!(!telemetry.scrape().contains("127.0.0.1:9101"));
}

#[test]
fn ages_are_those_of_the_scrape() {
    let telemetry = telemetry();
    let metrics = telemetry.metrics();
    metrics.issuer_refreshed("main", NOW.minus(Duration::from_secs(90)));
    metrics.certificate_expiry("public", NOW.plus(Duration::from_secs(3600)));
    metrics.certificate_expiry("old", NOW.minus(Duration::from_secs(60)));
    let text = telemetry.scrape();
    for line in [
        r#"tollgate_issuer_refresh_age_seconds{issuer="main"} 90"#,
        r#"tollgate_certificate_expiry_seconds{listener="public"} 3600"#,
        r#"tollgate_certificate_expiry_seconds{listener="old"} -60"#,
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}

#[test]
fn a_connection_counts_until_its_guard_is_gone() {
    let telemetry = telemetry();
    let gauge = |value: &str| {
        let line = format!(r#"tollgate_connections{{listener="public"}} {value}"#);
        telemetry.scrape().contains(&line)
    };
    let first = telemetry.metrics().connection("public");
    let second = telemetry.metrics().connection("public");
    assert!(gauge("2"));
    drop((first, second));
    assert!(gauge("0"));
}

#[test]
fn histograms_have_at_most_twelve_buckets() {
    let telemetry = telemetry();
    telemetry.request(&exchange(None, 404, "refuse", Some(Reason::RouteUnknown)));
    let text = telemetry.scrape();
    let finite = text
        .lines()
        .filter(|line| line.starts_with("tollgate_request_duration_seconds_bucket"))
        .filter(|line| !line.contains("+Inf"));
    assert_eq!(finite.count(), 12);
}

#[test]
fn a_line_has_what_an_operator_asks_for() {
    let line = logged(SubjectInLog::Hashed, &|telemetry| {
        let crm = route("crm", "crm");
        let exchange = exchange(Some(&crm), 403, "refuse", Some(Reason::ProductMissing));
        telemetry.request(&exchange);
    });
    let line: serde_json::Value = serde_json::from_str(line.trim_end()).unwrap();
    let subject = line["subject"].as_str().unwrap().to_owned();
    assert_eq!(subject.len(), 16);
    let expected = serde_json::json!({
        "ts": "2026-03-01T00:00:00.250Z",
        "request_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "listener": "public", "peer": "192.0.2.7", "protocol": "HTTP/1.1",
        "method": "GET", "host": "api.example.com", "path": "/crm/\"x\"\n",
        "route": "crm", "status": 403, "verdict": "refuse", "reason": "product_missing",
        "detail": "the token lacks the product `crm`", "issuer": "main", "subject": subject,
        "product": "crm", "upstream": "crm", "server": "127.0.0.1:9101",
        "bytes_in": 10, "bytes_out": 20, "duration_ms": 1.5, "upstream_ms": 0.75,
    });
    assert_eq!(line, expected);
}

#[test]
fn numbers_and_addresses_of_a_line_are_told_as_they_are() {
    let spans = [
        (0, 0.0),
        (7, 0.007),
        (120, 0.12),
        (3_000, 3.0),
        (61_000_010, 61_000.01),
    ];
    for (micros, millis) in spans {
        let line = logged(SubjectInLog::Hashed, &|telemetry| {
            telemetry.request(&Exchange {
                peer: "2001:db8::7",
                method: "P\"\\\u{1}T",
                bytes_in: 0,
                bytes_out: u64::MAX,
                duration: Duration::from_micros(micros),
                upstream_duration: None,
                ..exchange(None, 0, "", None)
            });
        });
        let line: serde_json::Value = serde_json::from_str(line.trim_end()).unwrap();
        assert_eq!(line["peer"], "2001:db8::7");
        assert_eq!(line["method"], "P\"\\\u{1}T");
        assert_eq!(line["bytes_in"], 0);
        assert_eq!(line["bytes_out"], u64::MAX);
        assert_eq!(line["status"], 0);
        assert_eq!(line["duration_ms"], millis);
        assert_eq!(line.get("upstream_ms"), None);
    }
}

#[test]
fn a_subject_is_a_digest_unless_the_operator_wants_it_plain() {
    let log = |how| {
        logged(how, &|telemetry| {
            telemetry.request(&exchange(None, 200, "forward", None));
        })
    };
    assert!(!log(SubjectInLog::Hashed).contains("alice"));
    assert!(log(SubjectInLog::Plain).contains(r#""subject":"alice""#));
}

#[test]
fn the_same_subject_of_two_issuers_has_two_digests() {
    let log = |issuer| {
        logged(SubjectInLog::Hashed, &|telemetry| {
            let exchange = Exchange {
                issuer: Some(issuer),
                ..exchange(None, 200, "forward", None)
            };
            telemetry.request(&exchange);
        })
    };
    let subject = |line: String| {
        let line: serde_json::Value = serde_json::from_str(line.trim_end()).unwrap();
        line["subject"].as_str().unwrap().to_owned()
    };
    assert_eq!(subject(log("main")), subject(log("main")));
    assert_ne!(subject(log("main")), subject(log("other")));
}

#[test]
fn a_long_path_is_cut_and_the_line_stays_json() {
    let path = "/ü".repeat(9000);
    let line = logged(SubjectInLog::Hashed, &|telemetry| {
        let exchange = Exchange {
            path: &path,
            ..exchange(None, 404, "refuse", Some(Reason::RouteUnknown))
        };
        telemetry.request(&exchange);
    });
    let line: serde_json::Value = serde_json::from_str(line.trim_end()).unwrap();
    assert!((2040..=2048).contains(&line["path"].as_str().unwrap().len()));
}

#[test]
fn a_rotated_file_is_let_go_when_the_configuration_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (log, rotated) = (
        folder.path().join("access.log"),
        folder.path().join("access.log.1"),
    );
    let telemetry = telemetry();
    let config = config(&[], &format!("file:{}", log.display()));
    telemetry.configure(&config).unwrap();
    telemetry.request(&exchange(None, 200, "forward", None));
    telemetry.flush(Duration::from_secs(5));
    std::fs::rename(&log, &rotated).unwrap();
    telemetry.configure(&config).unwrap();
    telemetry.request(&exchange(None, 404, "refuse", None));
    telemetry.flush(Duration::from_secs(5));
    assert!(text(&rotated).contains(r#""status":200"#) && !text(&rotated).contains("404"));
    assert!(text(&log).contains(r#""status":404"#));
}

#[test]
fn a_log_file_that_cannot_be_opened_is_an_error_that_names_it() {
    let config = config(&[], "file:/nowhere/access.log");
    let error = telemetry().configure(&config).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/access.log: "));
}

/// What the access log says after `act`.
fn logged(subject: SubjectInLog, act: &dyn Fn(&Telemetry)) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let telemetry = telemetry();
    let mut config = config(&[], &format!("file:{}", file.path().display()));
    config.telemetry.subject = subject;
    telemetry.configure(&config).unwrap();
    act(&telemetry);
    telemetry.flush(Duration::from_secs(5));
    text(file.path())
}

#[expect(clippy::disallowed_methods, reason = "the test reads what was logged")]
fn text(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

const NOW: Timestamp = Timestamp::from_millis(1_772_323_200_250);

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW
    }
}

fn telemetry() -> Telemetry {
    Telemetry::start(Arc::new(Stopped), [7; 32]).unwrap()
}

fn exchange<'a>(
    route: Option<&'a Route>,
    status: u16,
    verdict: &'static str,
    reason: Option<Reason>,
) -> Exchange<'a> {
    Exchange {
        listener: "public",
        request_id: "01890a5d-ac96-774b-bcce-b302099a8057",
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        peer: "192.0.2.7",
        client: None,
        protocol: "HTTP/1.1",
        method: "GET",
        path: "/crm/\"x\"\n",
        host: "api.example.com",
        route,
        endpoint: None,
        status,
        verdict,
        reason,
        shadowed: None,
        detail: "the token lacks the product `crm`",
        issuer: Some("main"),
        subject: Some("alice"),
        pseudonym: None,
        at: NOW,
        upstream: route.map(|_| "crm"),
        server: Some("127.0.0.1:9101"),
        bytes_in: 10,
        bytes_out: 20,
        duration: Duration::from_micros(1500),
        upstream_duration: Some(Duration::from_micros(750)),
    }
}

fn route(name: &str, product: &str) -> Arc<Route> {
    config(&[(name, product)], "off").routes[0].clone()
}

/// A configuration with these routes and the products they want.
fn config(routes: &[(&str, &str)], access_log: &str) -> Config {
    let mut text = format!("telemetry.access_log = {access_log:?}\n{CONFIG}");
    for (route, product) in routes {
        text += &format!("[products.{product}]\n");
        text += &format!(
            "[routes.{route}]\npath = \"/{route}\"\nproduct = \"{product}\"\nupstream = \"crm\"\n"
        );
    }
    let (config, _) = check(&text, &NoFiles).unwrap_or_else(|faults| panic!("{faults:#?}"));
    config
}

struct NoFiles;

impl Files for NoFiles {
    fn env(&self, name: &str) -> Result<Secret, String> {
        Err(format!("the variable {name} is not set"))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("there is no file {}", path.display()))
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        path.into()
    }
}

const CONFIG: &str = r#"
[listeners.public]
address = "127.0.0.1:8080"

[listeners.old]
address = "127.0.0.1:8081"

[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
discovery = true

[upstreams.crm]
servers = ["127.0.0.1:9101"]
"#;
