//! Tokens and claims as arguments give them.

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

/// The token that an argument means: itself, or for `-` the first line of standard input.
pub(super) fn token(argument: &str) -> anyhow::Result<String> {
    if argument != "-" {
        return Ok(argument.trim().to_owned());
    }
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .context("standard input")?;
    Ok(line.trim().to_owned())
}

/// Reads `--claims`.
pub(super) fn claims_object(text: &str) -> anyhow::Result<Map<String, Value>> {
    match serde_json::from_str(text).context("--claims")? {
        Value::Object(claims) => Ok(claims),
        _ => bail!("--claims is a JSON object"),
    }
}
