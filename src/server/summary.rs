//! What is served, in a few calm lines.

use std::fmt;

use crate::config::Config;
use crate::control::Status;

/// What a start prints.
#[derive(Debug)]
pub struct Summary {
    warnings: String,
    lines: Vec<String>,
}

impl Summary {
    pub(super) fn of(config: &Config, status: &Status, warnings: &str) -> Self {
        let mut lines = vec![format!("tollgate {}", env!("CARGO_PKG_VERSION"))];
        for listener in &config.listeners {
            let scheme = listener.scheme().as_str();
            lines.push(format!(
                "  listens   {scheme}://{} ({})",
                listener.address, listener.name
            ));
        }
        if let Some(admin) = &config.admin {
            lines.push(format!("  admin     http://{}", admin.address));
        }
        lines.push(format!("  routes    {}", by_access(config)));
        for issuer in &status.issuers {
            let why = issuer
                .last_error
                .as_ref()
                .map_or(String::new(), |error| format!(": {error}"));
            lines.push(format!(
                "  issuer    {} with {} keys{why}",
                issuer.name, issuer.keys
            ));
        }
        Self {
            warnings: warnings.to_owned(),
            lines,
        }
    }
}

fn by_access(config: &Config) -> String {
    let count = |access| {
        config
            .routes
            .iter()
            .filter(|route| route.requirement.access() == access)
            .count()
    };
    let words =
        ["entitled", "authenticated", "public"].map(|access| format!("{} {access}", count(access)));
    words.join(", ")
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.warnings, self.lines.join("\n"))
    }
}
