//! A request means one thing: what is judged is what the upstream gets, on both protocols; what could be read two ways
//! reaches nobody.

mod corpora;
mod http1;
mod http2;
mod websocket;

use crate::support::{Client, Gateway, Issuer, Upstream};

struct House {
    gateway: Gateway,
    issuer: Issuer,
    upstream: Upstream,
}

impl House {
    fn start() -> Self {
        Self::with("")
    }

    /// A house whose listener has `keys` too.
    fn with(keys: &str) -> Self {
        let upstream = Upstream::start();
        let (gateway, issuer) = gateway(keys, &upstream.address.to_string());
        Self {
            gateway,
            issuer,
            upstream,
        }
    }

    /// That the upstream was asked nothing since `before`, and that this client is served no more.
    fn nothing_follows(&self, client: &mut Client, before: usize, what: &str) {
        assert!(client.is_closed(), "{what}: still open");
        assert_eq!(self.upstream.count(), before, "{what}");
    }

    /// The request lines that the upstream has read since `before`.
    fn lines_since(&self, before: usize) -> Vec<String> {
        let requests = self.upstream.requests().split_off(before);
        let lines = requests.iter().map(|request| request.lines().next());
        lines.map(|line| line.unwrap().to_owned()).collect()
    }
}

/// A gateway before the upstream at `address`: `/crm` wants a product, all else is public.
fn gateway(listener_keys: &str, address: &str) -> (Gateway, Issuer) {
    let issuer = Issuer::new("https://auth.example.com");
    let config = format!(
        r#"
[listeners.public]
address = "ADDRESS"
{listener_keys}

[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
jwks_file = "jwks.json"

[products.crm]

[upstreams.app]
servers = ["{address}"]

[routes.all]
path = "/*"
access = "public"
upstream = "app"

[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "app"

[routes.socket]
path = "/socket/*"
product = "crm"
websocket_token = true
upstream = "app"

[routes.still]
path = "/still/*"
access = "public"
upgrade = false
upstream = "app"
"#
    );
    let gateway = Gateway::start(&config, &[("jwks.json", &issuer.jwks())]);
    (gateway, issuer)
}

/// A request that must never be served where it stands.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
