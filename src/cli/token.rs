//! `tollgate token`: mints test tokens, looks into tokens, verifies them with the code that serves.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::args::{InspectOptions, MintOptions, TokenCommand};
use super::given::{self, claims_object};
use super::private_keys::signing_key;
use super::{output, verify};
use crate::control::SystemClock;
use crate::time::Clock as _;

pub(super) fn run(command: TokenCommand) -> anyhow::Result<ExitCode> {
    match command {
        TokenCommand::Mint(options) => mint(&options),
        TokenCommand::Inspect(options) => inspect(&options),
        TokenCommand::Verify(options) => verify::run(&options),
    }
}

fn mint(options: &MintOptions) -> anyhow::Result<ExitCode> {
    let key = signing_key(&options.key)?;
    let now = SystemClock::new().now();
    let expires = now.plus(Duration::from_secs(options.lifetime));
    let told = [
        ("iss", options.issuer.as_deref().map(Value::from)),
        ("aud", options.audience.as_deref().map(Value::from)),
        ("sub", options.subject.as_deref().map(Value::from)),
        (
            "products",
            (!options.products.is_empty()).then(|| json!(options.products)),
        ),
        ("scope", options.scope.as_deref().map(Value::from)),
        ("tenant", options.tenant.as_deref().map(Value::from)),
        ("iat", Some(now.as_secs().into())),
        ("exp", Some(expires.as_secs().into())),
    ];
    let mut claims: Map<String, Value> = told
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    if let Some(text) = &options.claims {
        claims.extend(claims_object(text)?);
    }
    output::result(key.sign(&options.typ, &Value::Object(claims)))?;
    Ok(ExitCode::SUCCESS)
}

fn inspect(options: &InspectOptions) -> anyhow::Result<ExitCode> {
    let token = given::token(&options.token)?;
    let inspected = match token.split('.').collect::<Vec<_>>().as_slice() {
        [header, claims, ..] => {
            decoded("header", header).and_then(|header| Ok((header, decoded("claims", claims)?)))
        }
        _ => Err(anyhow::anyhow!("not a compact JWS: it has no two parts")),
    };
    match inspected {
        Ok((header, claims)) => {
            let shown = json!({ "trusted": false, "header": header, "claims": claims });
            output::result(format_args!("{shown:#}"))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            output::notice(format_args!("tollgate: {error:#}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn decoded(name: &str, part: &str) -> anyhow::Result<Value> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .with_context(|| format!("the {name} is not base64url"))?;
    serde_json::from_slice(&bytes).with_context(|| format!("the {name} is not JSON"))
}
