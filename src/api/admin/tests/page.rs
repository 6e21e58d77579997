//! What the page shows.

use super::*;

#[tokio::test]
async fn the_page_is_whole_without_a_script_and_escapes_what_it_shows() {
    let admin = admin(CONFIG);
    let page = admin.ask("GET", "/", &[], "").await;
    let policy = field(&page, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    let html = text(&page);
    assert!(html.contains("tollgate is ready") && html.contains("generation 7"));
    assert!(html.contains("no such product `&#60;crn&#62;`") && !html.contains("<crn>"));
    assert!(!html.contains("{{") && !html.contains("<script"));
}

#[tokio::test]
async fn the_page_stays_as_it_is_unless_somebody_asks_for_one_that_does_not() {
    let admin = admin(CONFIG);
    for (path, is_live, other) in [
        ("/", false, "href=\"/?live\""),
        ("/?live", true, "href=\"/\""),
        ("/?other", false, "href=\"/?live\""),
    ] {
        let html = text(&admin.ask("GET", path, &[], "").await);
        assert_eq!(html.contains("http-equiv=\"refresh\""), is_live, "{path}");
        assert!(html.contains(other), "{html}");
    }
}

#[tokio::test]
async fn the_page_tells_since_when_an_issuers_keys_are_confirmed_and_why_no_longer() {
    let admin = admin(CONFIG);
    for (source, age_s, shown) in [
        (KeyOrigin::Remote, Some(90), "90 s ago"),
        (KeyOrigin::Remote, None, "never"),
        (KeyOrigin::Fixed, None, "with the configuration"),
    ] {
        {
            let mut status = admin.acts().status.lock().unwrap();
            (status.issuers[0].source, status.issuers[0].age_s) = (source, age_s);
        }
        let html = text(&admin.ask("GET", "/", &[], "").await);
        assert!(html.contains(&format!("<td>{shown}</td>")), "{html}");
        assert!(html.contains(">connection refused</td>"), "{html}");
    }
}

#[tokio::test]
async fn a_table_of_the_page_without_rows_says_that_there_are_none() {
    let admin = admin(CONFIG);
    let none = |columns| format!("<td class=\"quiet\" colspan=\"{columns}\">none</td>");
    let html = text(&admin.ask("GET", "/", &[], "").await);
    assert!(
        !html.contains(&none(4)) && html.contains(&none(2)),
        "{html}"
    );
    admin.acts().status.lock().unwrap().issuers.clear();
    let html = text(&admin.ask("GET", "/", &[], "").await);
    assert!(html.contains(&none(4)), "{html}");
}

#[tokio::test]
async fn an_upstream_whose_server_is_passed_over_is_told_of() {
    let admin = admin(CONFIG);
    admin.2.configure(admin.acts().gate.config()).unwrap();
    for (health, used, shown) in [
        (Health::Used, true, "none"),
        (Health::PassedOver, false, "<code>127.0.0.1:9101</code>"),
    ] {
        let metrics = admin.2.metrics();
        metrics.upstream_healthy("crm", "127.0.0.1:9101", health);
        let (_, said) = admin.json("GET", "/api/status", "").await;
        let upstreams = json!({ "crm": { "127.0.0.1:9101": used } });
        assert_eq!(said["upstreams"], upstreams);
        let html = text(&admin.ask("GET", "/", &[], "").await);
        let row = format!("<tr><td>crm</td><td class=\"number\">1</td><td>{shown}</td></tr>");
        assert!(html.contains(&row), "{html}");
    }
}
