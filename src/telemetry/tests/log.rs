//! The access log: lines that tell an operator everything and give nothing away.

use super::*;

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
fn what_could_not_be_read_of_a_head_is_left_out() {
    let line = logged(SubjectInLog::Hashed, &|telemetry| {
        telemetry.request(&Exchange {
            method: "",
            host: "",
            path: "",
            detail: "",
            ..exchange(None, 408, "refuse", Some(Reason::RequestTimeout))
        });
    });
    let line: serde_json::Value = serde_json::from_str(line.trim_end()).unwrap();
    for absent in ["method", "host", "path", "detail"] {
        assert_eq!(line.get(absent), None, "{absent}");
    }
    assert_eq!(line["reason"], "request_timeout");
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
