//! A gateway with a route for every reason.

use std::net::TcpListener;

use tollgate::gate::Reason;
use tollgate::token::{Algorithm, SigningKey};

use crate::support::{Answer, Gateway, Issuer, Upstream, free_address};

pub(super) struct House {
    pub(super) gateway: Gateway,
    pub(super) issuer: Issuer,
    pub(super) stranger: Issuer,
    pub(super) upstream: Upstream,
    /// Accepts connections and never answers.
    _silent: TcpListener,
}

pub(super) fn house() -> House {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let stranger = Issuer::new("https://dark.example.com");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = format!(
        r#"
[listeners.public]
address = "ADDRESS"
header_timeout = "1s"
header_bytes_max = "16KiB"
body_bytes_max = "1KiB"

[identity]
signing_key = "file:identity.pem"
issuer = "https://gate.example.com"

[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
jwks_file = "jwks.json"

[issuers.dark]
issuer = "https://dark.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
jwks_url = "http://{nobody}/jwks.json"

[products.crm]
title = "CRM"
upgrade_url = "https://example.com/pricing/crm"

[upstreams.app]
servers = ["{app}"]
[upstreams.gone]
servers = ["{nobody}"]
[upstreams.slow]
servers = ["{silent}"]
response_timeout = "300ms"

[routes.crm]
path = "/crm/*"
methods = ["GET", "POST"]
product = "crm"
upstream = "app"

[routes.scoped]
path = "/scoped"
access = "authenticated"
scopes = ["crm.write", "crm.read"]
upstream = "app"

[routes.tenant]
path = "/tenants/{{tenant}}/x"
access = "authenticated"
tenant = "path:tenant"
upstream = "app"

[routes.gone]
path = "/gone"
access = "public"
upstream = "gone"

[routes.trial]
path = "/trial"
product = "crm"
upstream = "gone"
mode = "shadow"

[routes.slow]
path = "/slow"
access = "public"
upstream = "slow"
"#,
        app = upstream.address,
        nobody = free_address(),
        silent = silent.local_addr().unwrap(),
    );
    let pem = SigningKey::generate_pem(Algorithm::Es256).unwrap();
    let pem = std::str::from_utf8(pem.expose()).unwrap();
    let files = [("jwks.json", &*issuer.jwks()), ("identity.pem", pem)];
    let gateway = Gateway::start(&config, &files);
    House {
        gateway,
        issuer,
        stranger,
        upstream,
        _silent: silent,
    }
}

impl House {
    /// Checks one refusal in all the places that tell of it.
    pub(super) fn expect(
        &self,
        answer: &Answer,
        reason: Reason,
        status: u16,
        challenge: Option<&str>,
    ) {
        assert_eq!(
            (answer.reason().as_str(), answer.status),
            (reason.as_str(), status),
            "{answer:?}"
        );
        let given = answer.field("www-authenticate");
        match challenge {
            None => assert_eq!(given, None),
            Some("") => assert!(given.is_some_and(
                |value| value.starts_with("Bearer realm=\"") && !value.contains("error")
            )),
            Some(error) => {
                let error = format!("error=\"{error}\"");
                assert!(given.is_some_and(|value| value.starts_with("Bearer ") && value.contains(&error)), "{given:?}");
            }
        }
        let line = self
            .gateway
            .log_line(answer.field("x-request-id").expect("an id"));
        assert_eq!(line["reason"], reason.as_str(), "{line}");
        assert_eq!(line["status"], status, "{line}");
        let labels = [format!("reason=\"{}\"", reason.as_str())];
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        assert!(
            self.gateway.metric("tollgate_decisions_total", &labels) >= 1.0,
            "no metric for {}",
            reason.as_str()
        );
    }

    pub(super) fn raw(&self, bytes: &[u8]) -> Answer {
        let mut client = self.gateway.client();
        client.try_send(bytes);
        let answer = client.answer().expect("a refusal is an answer");
        assert!(
            client.is_closed(),
            "a request that was not understood ends its connection"
        );
        answer
    }

    pub(super) fn with_token(&self, path: &str, token: &str) -> Answer {
        self.gateway
            .get(path, &[&format!("Authorization: Bearer {token}")])
    }
}
