//! `grpcio` (PyPI) at both ends.

use std::process::Stdio;
use std::time::Instant;

use serde_json::json;

use super::{CUT_WITHIN, gateway, revoke, script, serving, short_token};
use crate::support::{Gateway, Issuer, Process, output};

struct House {
    gateway: Gateway,
    issuer: Issuer,
    _server: Process,
}

fn house() -> House {
    let (server, address) = serving(&mut script("rpc.py", &["serve"]));
    let (gateway, issuer) = gateway(
        &format!(
            r#"
[products.billing]

[upstreams.rpc]
servers = ["{address}"]
protocol = "h2"

[routes.echo]
path = "/test.Echo/*"
product = "crm"
upstream = "rpc"

[routes.billing]
path = "/test.Billing/*"
product = "billing"
upstream = "rpc"
"#
        ),
        &[],
    );
    House {
        gateway,
        issuer,
        _server: server,
    }
}

impl House {
    /// A conversation that goes on until it is ended, once it is told its token.
    fn stay(&self) -> Process {
        let target = self.gateway.public.to_string();
        Process::start(script("rpc.py", &["stay", &target]).stdin(Stdio::piped()))
    }
}

#[test]
fn every_kind_of_call_passes_with_its_metadata_and_status_or_is_refused_as_grpc() {
    let house = house();
    let target = house.gateway.public.to_string();
    let token = house.issuer.token(json!({}));
    assert_eq!(
        output(&mut script("rpc.py", &["ask", &target, &token])),
        "unary one heard 1 u_1\n\
         large True\n\
         stream n 0,n 1,n 2\n\
         collect a+b+c\n\
         chat X Y Z\n\
         fail NOT_FOUND no such thing there is none\n\
         none UNAUTHENTICATED token_missing\n\
         none UNAUTHENTICATED token_missing\n\
         other PERMISSION_DENIED product_missing\n"
    );
}

#[test]
fn a_conversation_ends_with_a_status_when_its_token_ends() {
    let house = house();
    let mut call = house.stay();
    let began = Instant::now();
    call.tell(&short_token(&house.issuer, 3));
    assert_eq!(call.line(), "open");
    assert_eq!(call.line(), "UNAUTHENTICATED token_expired");
    let lived = began.elapsed();
    assert!(lived.as_secs() >= 2, "{lived:?}");
    assert!(lived.as_secs() < 3 + CUT_WITHIN.as_secs(), "{lived:?}");
}

#[test]
fn a_conversation_ends_within_a_second_of_its_revocation() {
    let house = house();
    let mut call = house.stay();
    call.tell(&house.issuer.token(json!({})));
    assert_eq!(call.line(), "open");
    let revoked = revoke(&house.gateway);
    assert_eq!(call.line(), "UNAUTHENTICATED token_revoked");
    assert!(revoked.elapsed() < CUT_WITHIN, "{:?}", revoked.elapsed());
}
