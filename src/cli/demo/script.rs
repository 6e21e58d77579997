//! Starts the demo's servers and prints the lines to copy.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;

use anyhow::Context as _;

use super::super::args::DemoOptions;
use super::super::output;
use super::house::{Addresses, House};
use super::samples;
use crate::server::{self, Refused};

pub(in super::super) fn run(options: &DemoOptions) -> anyhow::Result<ExitCode> {
    let addresses = Addresses {
        public: address(options.port)?,
        admin: address(options.admin_port)?,
        crm: samples::product("crm").context("the sample CRM")?,
        billing: samples::product("billing").context("the sample billing")?,
        identity: samples::identity_service().context("the sample identity service")?,
    };
    let house = House::build(&addresses)?;
    let outcome = server::run(&house.config(), |_summary| {
        // A demo that is piped into `head` serves all the same.
        let _ = output::result(lines(&addresses, &house));
    });
    match outcome {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            output::notice(&error);
            if let Refused::Address { .. } = error {
                output::notice("tollgate demo --port 0 --admin-port 0 takes free ones");
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A loopback address; port 0 becomes one that is free at this moment.
fn address(port: u16) -> anyhow::Result<SocketAddr> {
    if port != 0 {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let free =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    free.context("no free port")
}

fn lines(addresses: &Addresses, house: &House) -> String {
    let Addresses { public, admin, .. } = addresses;
    let (token, folder) = (&house.admin_token, house.folder().display());
    let program = std::env::current_exe().unwrap_or_else(|_| "tollgate".into());
    let program = program.display();
    format!(
        r#"tollgate demo: the gateway is at http://{public}, its page at http://{admin}/
everything it wrote is in {folder} and goes with it; Ctrl-C ends

# log in at the sample identity service, through the gate, and keep the access token
TOKEN=$(curl -s http://{public}/auth/login -H 'X-Client-Id: mobile' -H 'Content-Type: application/json' \
  -d '{{"user":"ada","password":"demo"}}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')

# 200: Ada has the CRM; the answer shows what the upstream was told
curl -i http://{public}/crm/contacts -H "Authorization: Bearer $TOKEN"

# 403 product_missing: she has no billing
curl -i http://{public}/billing/invoices -H "Authorization: Bearer $TOKEN"

# 401 token_missing, 400 request_ambiguous, 200 for a public route
curl -i http://{public}/crm/contacts
curl -i --path-as-is http://{public}/crm/../billing
curl -i http://{public}/hello

# log out: the same token is refused on the very next request
curl -i -X POST http://{public}/auth/logout -H "Authorization: Bearer $TOKEN"
curl -i http://{public}/crm/contacts -H "Authorization: Bearer $TOKEN"

# what the gate did, and why
curl -s http://{admin}/metrics | grep decisions
curl -s http://{admin}/api/explain -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \
  -d '{{"method":"GET","url":"/billing/invoices","claims":{{"products":["crm"]}}}}'

# the same from the file, without asking the gateway
{program} explain GET /billing/invoices --config {folder}/gateway.toml --claims '{{"products":["crm"]}}'"#
    )
}
