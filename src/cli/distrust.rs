//! `tollgate key distrust`: tells the running gateway, over its admin listener, to trust a key no more.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::args::DistrustOptions;
use super::output;
use crate::control::{self, SystemClock};
use crate::server;
use crate::time::Clock as _;

/// How long the running gateway may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn run(options: &DistrustOptions) -> anyhow::Result<ExitCode> {
    let config = control::load(&options.file.config, SystemClock::new().now())?.config;
    let Some(admin) = &config.admin else {
        bail!("the configuration has no [admin] to talk to")
    };
    let Some(token) = &admin.token else {
        bail!("[admin] has no token, so it takes no acts")
    };
    let token = std::str::from_utf8(token.expose()).context("[admin] token")?;
    server::install_cryptography();
    let request = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()?
        .post(format!("http://{}/api/keys/distrust", admin.address))
        .bearer_auth(token)
        .json(&json!({ "issuer": options.issuer, "kid": options.kid }));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (status, body) = runtime.block_on(async {
        let answer = request
            .send()
            .await
            .context("the gateway does not answer")?;
        anyhow::Ok((answer.status(), answer.text().await?))
    })?;
    let said: Value = serde_json::from_str(&body).unwrap_or_default();
    if !status.is_success() {
        let why = said["detail"].as_str().unwrap_or("it does not say why");
        output::notice(format_args!(
            "tollgate: the gateway refuses ({status}): {why}"
        ));
        return Ok(ExitCode::FAILURE);
    }
    output::result(body.trim_end())?;
    if said["known"] == false {
        output::notice(format_args!(
            "issuer {} was never seen to publish the key `{}`: it is distrusted should it come; a name that is \
             mistyped protects nobody",
            options.issuer, options.kid
        ));
    }
    if said["kept"] == false {
        output::notice("a restart forgets it: the configuration has no [server] state_dir");
    }
    Ok(ExitCode::SUCCESS)
}
