//! What operators read.

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

mod counts;
mod log;

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
