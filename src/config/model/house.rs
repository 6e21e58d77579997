//! One whole configuration, and its small tables.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Admin, Issuer, Listener, Sessions, Upstream};
use crate::identity::IdentityTerms;
use crate::policy::Route;
use crate::principal::Entitlement;
use crate::session::OWN_ISSUER;
use crate::time::Timestamp;
use crate::token::IssuerTerms;

/// One whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[listeners.NAME]`, by name. Never empty.
    pub listeners: Vec<Arc<Listener>>,
    /// `[admin]`.
    pub admin: Option<Admin>,
    /// `[identity]`.
    pub identity: IdentityTerms,
    /// `[telemetry]`.
    pub telemetry: Telemetry,
    /// `[issuers.NAME]`, by name.
    pub issuers: Vec<Arc<Issuer>>,
    /// `[products.NAME]`: what a refusal tells about a product.
    pub products: BTreeMap<Entitlement, Product>,
    /// `[upstreams.NAME]`, by name.
    pub upstreams: BTreeMap<Arc<str>, Arc<Upstream>>,
    /// `[cors.NAME]`, by name.
    pub cors: BTreeMap<Arc<str>, Arc<Cors>>,
    /// `[routes.NAME]`, by name. No two of them tie, and every name in them is known.
    pub routes: Vec<Arc<Route>>,
    /// `[sessions]`.
    pub sessions: Option<Sessions>,
}

impl Config {
    /// The issuer of that name, which is no `iss`.
    pub fn issuer(&self, name: &str) -> Option<&Arc<Issuer>> {
        let mut issuers = self.issuers.iter();
        issuers.find(|issuer| *issuer.terms.name == *name)
    }

    /// This configuration after `serving` served until `now`: the signing keys follow those that serve, and what was given
    /// out under a longer life lives on to its end, and stays revoked until then.
    pub fn succeed(&mut self, serving: &Self, now: Timestamp) {
        let (Some(next), Some(before)) = (&mut self.sessions, &serving.sessions) else {
            return;
        };
        next.signing_keys.succeed(&before.signing_keys, now);
        next.access_lifetime_max = next.access_lifetime_max.max(before.access_lifetime_max);
        let mut issuers = self.issuers.iter_mut();
        if let Some(own) = issuers.find(|issuer| *issuer.terms.name == *OWN_ISSUER) {
            let terms = IssuerTerms {
                lifetime_max: next.token_lifetime_max(),
                ..IssuerTerms::clone(&own.terms)
            };
            *own = Arc::new(Issuer {
                terms: Arc::new(terms),
                keys: own.keys.clone(),
            });
        }
    }
}

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Worker threads; never 0: "one per core" is worked out by whoever asks for the number of cores.
    pub threads: Option<usize>,
    /// How long in-flight requests may take after SIGTERM.
    pub drain: Duration,
    /// Where keys and distrust survive a restart; `None` keeps them in memory alone.
    pub state_dir: Option<PathBuf>,
}

/// `[telemetry]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// Where the access log goes.
    pub access_log: AccessLog,
    /// Whether the log shows subjects as they are or their keyed digest.
    pub subject: SubjectInLog,
}

/// Where the access log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLog {
    /// Standard output.
    Stdout,
    /// Appended to a file.
    File(PathBuf),
    /// Nowhere.
    Off,
}

/// How the access log shows a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectInLog {
    /// A digest that is the same for the same subject.
    Hashed,
    /// As the token has it.
    Plain,
}

/// `[products.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Product {
    /// What people call it.
    pub title: Option<Box<str>>,
    /// Where it can be bought.
    pub upgrade_url: Option<Box<str>>,
}

/// `[cors.NAME]` (Fetch standard, CORS protocol).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Origins, exact; never `null`.
    pub origins: Vec<Box<str>>,
    /// Methods a preflight may ask for; empty: those of the route.
    pub methods: Vec<Box<str>>,
    /// Request headers a preflight may ask for, lower-case; `authorization` only if it is named.
    pub headers: Vec<Box<str>>,
    /// Response headers that scripts may read.
    pub expose: Vec<Box<str>>,
    /// How long a preflight's answer may be kept.
    pub max_age: Duration,
}
