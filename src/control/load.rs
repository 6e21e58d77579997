//! One file becomes one configuration, the same way for `run`, `check`, `explain` and a reload. Decides nothing.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::files::{DiskFiles, Readings};
use crate::config::Config;

/// A configuration that can serve.
#[derive(Debug)]
pub struct Loaded {
    /// What it means.
    pub config: Arc<Config>,
    /// Its warnings, rendered; empty when there is none.
    pub warnings: String,
    /// The text of the file.
    pub text: String,
    /// What was read for it, the file itself included.
    pub files: Arc<DiskFiles>,
}

/// Why a file is no configuration.
#[derive(Debug)]
pub enum LoadError {
    /// It cannot be read at all.
    Unreadable {
        /// For the operator.
        text: String,
        /// What was tried.
        readings: Readings,
    },
    /// It has faults.
    Faulty {
        /// Every fault with its place, as `check` prints them.
        text: String,
        /// What was read for it.
        readings: Readings,
    },
}

impl LoadError {
    /// What was read before it failed.
    pub fn readings(&self) -> &Readings {
        let (Self::Unreadable { readings, .. } | Self::Faulty { readings, .. }) = self;
        readings
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unreadable { text, .. } | Self::Faulty { text, .. }) = self;
        f.write_str(text)
    }
}

impl std::error::Error for LoadError {}

/// Reads and checks the configuration at `path`.
///
/// # Errors
/// [`LoadError`] with everything that is wrong, not only with what was found first.
pub fn load(_path: &Path) -> Result<Loaded, LoadError> {
    unimplemented!()
}
