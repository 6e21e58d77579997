//! `tollgate token verify`: one token against the issuers of a configuration, by the code that serves.

use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::args::{Format, VerifyOptions};
use super::given;
use super::{output, world};
use crate::control::SystemClock;
use crate::time::Clock as _;

pub(super) fn run(options: &VerifyOptions) -> anyhow::Result<ExitCode> {
    let token = given::token(&options.token)?;
    let gate = world::gate(&options.file.config)?;
    let verified = gate.authenticate(&token, SystemClock::new().now());
    let (code, result) = match &verified {
        Ok(verified) => {
            let principal = verified.principal();
            let result = json!({
                "valid": true,
                "issuer": &*principal.issuer_name,
                "subject": principal.subject,
                "products": principal.products.iter().collect::<Vec<_>>(),
                "expires_at": verified.expires_at().as_secs(),
                "summary": verified.summary(),
            });
            (ExitCode::SUCCESS, result)
        }
        Err(refusal) => {
            let result = json!({ "valid": false, "reason": refusal.reason.as_str(), "detail": refusal.detail });
            (ExitCode::FAILURE, result)
        }
    };
    output::result(match (options.format, &verified) {
        (Format::Json, _) => serde_json::to_string_pretty(&result).context("the result")?,
        (Format::Text, Ok(verified)) => format!("valid: {}", verified.summary()),
        (Format::Text, Err(refusal)) => {
            format!("refused: {}: {}", refusal.reason.as_str(), refusal.detail)
        }
    })?;
    Ok(code)
}
