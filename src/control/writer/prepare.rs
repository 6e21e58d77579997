//! Everything that a configuration needs before it may serve: read and found usable, keys of new issuers fetched, names
//! resolved. Changes nothing that serves; whoever prepares may still think better of it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::task::spawn_blocking;

use super::restart;
use crate::config::Config;
use crate::config::model::KeySource;
use crate::control::certificates::Certificates;
use crate::control::fetchers::{FetchTerms, Incumbents, Newcomer};
use crate::control::files::Readings;
use crate::control::hook::HookClients;
use crate::control::keys::Refresher;
use crate::control::load::{LoadError, Loaded, load};
use crate::control::names::Names;
use crate::control::surroundings::Surroundings;
use crate::time::Timestamp;

/// A configuration that may serve at once.
pub(in crate::control) struct Prepared {
    pub(super) config: Arc<Config>,
    pub(super) certificates: Arc<Certificates>,
    pub(super) hooks: Arc<HookClients>,
    pub(super) newcomers: Vec<Newcomer>,
    /// Servers that nobody has an address of.
    pub(super) unresolved: BTreeSet<String>,
    /// The warnings, rendered.
    pub(in crate::control) warnings: String,
    pub(super) readings: Readings,
}

/// Why a configuration cannot serve.
#[derive(Debug)]
pub enum StartError {
    /// It cannot be read or has faults.
    Load(LoadError),
    /// Something that it names cannot be used, or cannot be changed while the process runs.
    Unusable {
        /// For the operator.
        text: String,
        /// What was read for it.
        readings: Readings,
    },
}

impl StartError {
    /// What was read before it failed.
    pub(super) fn readings(&self) -> &Readings {
        match self {
            Self::Load(error) => error.readings(),
            Self::Unusable { readings, .. } => readings,
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(error) => error.fmt(f),
            Self::Unusable { text, .. } => f.write_str(text),
        }
    }
}

impl std::error::Error for StartError {}

/// What is prepared for.
pub(in crate::control) struct Occasion {
    /// The configuration that serves; `None` at the start.
    pub(super) serving: Option<Arc<Config>>,
    /// Its refreshers.
    pub(super) incumbents: Incumbents,
    /// Tells the new refreshers from all earlier ones.
    pub(super) epoch: u64,
    /// How long new issuers and names may take; what is not there by then comes later.
    pub(super) patience: Duration,
}

impl Occasion {
    /// Nothing serves yet.
    pub(in crate::control) fn start(patience: Duration) -> Self {
        Self {
            serving: None,
            incumbents: Incumbents::new(),
            epoch: 0,
            patience,
        }
    }
}

/// Loads the file at `path`, as of `now`, without keeping the runtime waiting for the disk.
pub(in crate::control) async fn read(path: PathBuf, now: Timestamp) -> Result<Loaded, LoadError> {
    let loaded = spawn_blocking(move || load(&path, now)).await;
    loaded.expect("checking a configuration does not panic")
}

/// Prepares what was loaded.
///
/// # Errors
/// [`StartError`]; nothing has changed.
pub(in crate::control) async fn prepare(
    mut loaded: Loaded,
    occasion: Occasion,
    around: Surroundings,
    names: Arc<Names>,
) -> Result<Prepared, StartError> {
    if let (Some(serving), Some(next)) = (&occasion.serving, Arc::get_mut(&mut loaded.config)) {
        // The gate's own tokens follow those that it gave out before.
        next.succeed(serving, around.clock.now());
    }
    let patience = occasion.patience;
    let found = spawn_blocking(move || {
        let found = find(&loaded, &occasion, &around);
        (loaded, found)
    });
    let (loaded, found) = found.await.expect("reading key files does not panic");
    let readings = loaded.files.readings();
    let (certificates, hooks, mut newcomers) = match found {
        Ok(found) => found,
        Err(text) => return Err(StartError::Unusable { text, readings }),
    };
    let fetches = join_all(newcomers.iter_mut().map(|one| fetch(one, patience)));
    let (_, unresolved) = join(fetches, names.resolve(&loaded.config, patience)).await;
    Ok(Prepared {
        certificates: Arc::new(certificates),
        hooks: Arc::new(hooks),
        newcomers,
        unresolved,
        warnings: loaded.warnings_text(),
        config: loaded.config,
        readings,
    })
}

/// What waits for the disk alone.
fn find(
    loaded: &Loaded,
    occasion: &Occasion,
    around: &Surroundings,
) -> Result<(Certificates, HookClients, Vec<Newcomer>), String> {
    if let Some(serving) = &occasion.serving {
        let fixed = restart::needed(serving, &loaded.config);
        if !fixed.is_empty() {
            return Err(format!("needs a restart: {}", fixed.join(", ")));
        }
    }
    Ok((
        Certificates::read(&loaded.config, &loaded.files)?,
        HookClients::new(&loaded.config)?,
        newcomers(loaded, occasion, around)?,
    ))
}

/// The refreshers that `loaded` needs and nobody has.
fn newcomers(
    loaded: &Loaded,
    occasion: &Occasion,
    around: &Surroundings,
) -> Result<Vec<Newcomer>, String> {
    let mut newcomers = Vec::new();
    for issuer in &loaded.config.issuers {
        let KeySource::Remote(keys) = &issuer.keys else {
            continue;
        };
        let named = |error| format!("issuers.{}: {error}", issuer.terms.name);
        let terms = FetchTerms::read(issuer, keys, &loaded.files).map_err(named)?;
        let incumbent = occasion.incumbents.get(&issuer.terms.name);
        if incumbent.is_some_and(|(running, _)| running.equals(&terms)) {
            continue;
        }
        let mut refresher =
            Refresher::new(&terms, occasion.epoch, around.clone()).map_err(named)?;
        let keys = match incumbent {
            Some((running, held)) if running.is_same_source(&terms) => {
                let inherited = refresher.inherit(held.copy());
                inherited.or_else(|| refresher.restore())
            }
            _ => refresher.restore(),
        };
        newcomers.push(Newcomer {
            refresher,
            keys,
            terms,
        });
    }
    Ok(newcomers)
}

async fn fetch(newcomer: &mut Newcomer, patience: Duration) {
    if let Some(keys) = newcomer.refresher.first(patience).await {
        newcomer.keys = Some(keys);
    }
}
