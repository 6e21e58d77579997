//! The port to everything that a configuration names but does not hold: environment variables and files.

use std::path::{Path, PathBuf};

use crate::secret::Secret;

/// Reads what a configuration refers to. Implemented once, in `control`; tests keep a map in memory.
///
/// # Security
/// Whoever implements this hands over private keys and passwords: it never logs what it read, and its errors name the
/// reference alone. An implementation that answers for a file that is not there invents a trusted key. One that takes
/// anything for a certificate lets a gateway start that nobody can connect to.
pub trait Files {
    /// The value of the environment variable `name`.
    ///
    /// # Errors
    /// A text for the operator when it is not set.
    fn env(&self, name: &str) -> Result<Secret, String>;

    /// The bytes of the file at `path`, as it is written: relative to the configuration's folder.
    ///
    /// # Errors
    /// A text for the operator when it cannot be read.
    fn read(&self, path: &Path) -> Result<Vec<u8>, String>;

    /// `path` as the process may open it later.
    fn resolve(&self, path: &Path) -> PathBuf;

    /// Whether a log can be written at `path`, which is resolved. Who knows no disk takes any.
    ///
    /// # Errors
    /// A text for the operator.
    fn check_log(&self, _path: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Whether sessions can be kept at `path`, which is resolved. Who knows no disk takes any.
    ///
    /// # Errors
    /// A text for the operator.
    fn check_store(&self, _path: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Whether `path`, which is resolved, is a folder or can become one. Who knows no disk takes any.
    ///
    /// # Errors
    /// A text for the operator.
    fn check_folder(&self, _path: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Whether `url` is one for whoever calls it. Who calls nobody takes any.
    ///
    /// # Errors
    /// A text for the operator.
    fn check_url(&self, _url: &str) -> Result<(), String> {
        Ok(())
    }

    /// Whether every PEM certificate at `path` is one. Who knows nothing of certificates takes any.
    ///
    /// # Errors
    /// A text for the operator.
    fn check_chain(&self, _path: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Whether clients take the certificate that the PEM chain at `chain` begins with at the time of the check. Who knows
    /// nothing of certificates, or of time, takes any.
    ///
    /// # Errors
    /// A text for the operator: since when, or until when, they do not.
    fn check_validity(&self, _chain: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Whether a listener can show the PEM chain at `chain` with the key at `key`. Who knows nothing of certificates
    /// takes any.
    ///
    /// # Errors
    /// A text for the operator: whose key it is not.
    fn check_pair(&self, _chain: &Path, _key: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Whether every PEM certificate at `path` can be trusted to sign others. Who knows nothing of certificates takes
    /// any.
    ///
    /// # Errors
    /// A text for the operator.
    fn check_authorities(&self, _path: &Path) -> Result<(), String> {
        Ok(())
    }
}
