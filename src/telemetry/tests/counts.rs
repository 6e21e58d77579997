//! Metrics: labels that cannot grow, and figures that are those of the moment.

use std::collections::BTreeMap;

use super::*;
use crate::token::Source;

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
    metrics.handshake_failed("public");
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
        "tollgate_tls_handshakes_failed_total{listener=\"public\"} 1",
        "tollgate_certificate_expiry_seconds{listener=",
        "tollgate_build_info{version=",
    ] {
        let told = text.lines().any(|line| line.starts_with(series));
        assert!(told, "{series}\n{text}");
    }
}

#[test]
fn every_metric_has_its_name_and_type_from_the_start() {
    let text = telemetry().scrape();
    let heads = |line: &&str| line.starts_with("# TYPE ");
    let types: BTreeMap<_, _> = text
        .lines()
        .filter(heads)
        .map(|line| line[7..].split_once(' ').unwrap())
        .collect();
    assert_eq!(types.len(), text.lines().filter(heads).count());
    for (name, kind) in [
        ("tollgate_requests_total", "counter"),
        ("tollgate_build_info", "gauge"),
        ("tollgate_upstream_healthy", "gauge"),
        ("tollgate_issuer_refresh_age_seconds", "gauge"),
        ("tollgate_store_duration_seconds", "histogram"),
    ] {
        assert_eq!(types.get(name), Some(&kind), "{text}");
    }
    let helps = text.lines().filter(|line| line.starts_with("# HELP "));
    assert_eq!(helps.count(), types.len());
    let busy = telemetry();
    busy.request(&exchange(Some(&route("crm", "crm")), 200, "forward", None));
    let head = "# TYPE tollgate_requests_total counter";
    assert_eq!(busy.scrape().matches(head).count(), 1);
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
    forwarded_once(&telemetry, [("c", "ab"), ("bc", "a")]);
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
    forwarded_once(&telemetry, [("crm", "crm"), ("crm_pro", "crm")]);
}

#[test]
fn a_route_that_wants_its_product_again_counts_under_that() {
    let telemetry = telemetry();
    let [crm, pro] = ["crm", "crm_pro"].map(|product| config(&[("crm", product)], "off"));
    telemetry.request(&exchange(Some(&crm.routes[0]), 200, "forward", None));
    // Nobody asks for the route in between.
    telemetry.configure(&pro).unwrap();
    telemetry.configure(&crm).unwrap();
    telemetry.request(&exchange(Some(&crm.routes[0]), 200, "forward", None));
    forwarded_once(&telemetry, [("crm", "crm")]);
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

/// Asserts that one request each was forwarded for these products on these routes.
fn forwarded_once<const N: usize>(telemetry: &Telemetry, series: [(&str, &str); N]) {
    let text = telemetry.scrape();
    for (product, route) in series {
        let labels =
            format!(r#"{{product="{product}",reason="",route="{route}",verdict="forward"}}"#);
        assert!(text.contains(&format!("{labels} 1")), "{text}");
    }
}
