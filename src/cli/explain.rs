//! `tollgate explain`: one decision, walked by the code that serves.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::args::{ExplainOptions, Format};
use super::given::{self, claims_object};
use super::{output, world};
use crate::api::explain::Explained;
use crate::control::{self, SystemClock};
use crate::gate::{Explanation, Question, Rehearsal};
use crate::session::Revocations;
use crate::time::{Clock as _, Timestamp};
use crate::token::{Algorithm, SigningKey};

pub(super) fn run(options: &ExplainOptions) -> anyhow::Result<ExitCode> {
    let now = SystemClock::new().now();
    let explanation = match &options.claims {
        Some(claims) => rehearse(options, claims, now)?,
        None => walk(options, now)?,
    };
    match options.format {
        Format::Json => {
            let explained = Explained::from(&explanation);
            output::result(serde_json::to_string_pretty(&explained).context("the explanation")?)?;
        }
        Format::Text => output::result(rendered(&explanation))?,
    }
    let refused = explanation.verdict == "refuse";
    Ok(if refused {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// With a token, or without any: the gate as it would serve now, keys of its providers included.
fn walk(options: &ExplainOptions, now: Timestamp) -> anyhow::Result<Explanation> {
    let question = Question {
        token: options.token.as_deref().map(given::token).transpose()?,
        ..question(options)?
    };
    let gate = world::gate(&options.file.config)?;
    Ok(question.explain(&gate, &Revocations::default(), now, entropy()))
}

/// With imagined claims: the same gate, with a signer of its own behind every issuer.
fn rehearse(options: &ExplainOptions, claims: &str, now: Timestamp) -> anyhow::Result<Explanation> {
    let config = control::load(&options.file.config, now)?.config;
    let pem = SigningKey::generate_pem(Algorithm::EdDsa).map_err(anyhow::Error::msg)?;
    let key = Arc::new(SigningKey::from_pem(&pem).map_err(anyhow::Error::msg)?);
    let rehearsal = Rehearsal::of(&config, key, control::fresh());
    let token = rehearsal.token(claims_object(claims)?, now);
    let question = Question {
        token: Some(token),
        ..question(options)?
    };
    Ok(question.explain(&rehearsal.gate, &Revocations::default(), now, entropy()))
}

fn question(options: &ExplainOptions) -> anyhow::Result<Question> {
    let headers = options
        .headers
        .iter()
        .map(|header| match header.split_once(':') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => bail!("`{header}` is no header: write `Name: value`"),
        });
    Ok(Question {
        method: options.method.clone(),
        url: options.url.clone(),
        headers: headers.collect::<anyhow::Result<_>>()?,
        token: None,
    })
}

fn entropy() -> [u128; 3] {
    [(); 3].map(|()| u128::from_le_bytes(control::fresh()))
}

fn rendered(explanation: &Explanation) -> String {
    let mut lines: Vec<String> = explanation
        .steps
        .iter()
        .map(|(step, saw)| format!("{step:<12}{saw}"))
        .collect();
    // A token that was refused has no line of its own that would say whose it was to be.
    let is_told = explanation.steps.iter().any(|(step, _)| *step == "token");
    if let (Some(issuer), false) = (&explanation.issuer, is_told) {
        lines.push(format!("{:<12}{issuer}", "issuer"));
    }
    let why = explanation
        .reason
        .map_or(String::new(), |reason| format!("  {}", reason.as_str()));
    let detail = explanation
        .detail
        .as_ref()
        .map_or(String::new(), |detail| format!(": {detail}"));
    lines.push(format!(
        "{:<12}{}{why}{detail}",
        "verdict", explanation.verdict
    ));
    if let (Some(upstream), Some(path)) = (&explanation.upstream, &explanation.upstream_path) {
        lines.push(format!("{:<12}{upstream} {path}", "upstream"));
        lines.extend(
            explanation
                .fields
                .iter()
                .map(|(name, value)| format!("            {name}: {value}")),
        );
    }
    lines.join("\n")
}
