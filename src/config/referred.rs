//! Values that refer to what lies outside of the document: secrets and files. A reader that fails has reported why; it never
//! shows a secret.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::files::Files;
use super::value::Value;
use crate::secret::Secret;

impl<'w> Value<'w> {
    /// A secret behind its reference.
    pub(super) fn secret(&self) -> Option<Secret> {
        let text = self.text_like("a secret", SECRET_HELP)?;
        let read = if let Some(name) = text.strip_prefix("env:") {
            if name.is_empty() {
                return self.names_nothing("variable", "env:", SECRET_HELP);
            }
            self.walk.files.env(name)
        } else if let Some(path) = text.strip_prefix("file:") {
            if path.is_empty() {
                return self.names_nothing("file", "file:", SECRET_HELP);
            }
            self.walk.files.read(Path::new(path)).map(Secret::new)
        } else {
            let message = format!(
                "`{}` is a secret: it does not stand in the file itself",
                self.key
            );
            return self.refuse("secret_inline", message, SECRET_HELP);
        };
        match read.map(Secret::without_line_end) {
            Ok(secret) if secret.expose().is_empty() => {
                let message = format!("the secret of `{}` is empty", self.key);
                self.refuse(
                    "secret_unreadable",
                    message,
                    "put the secret where it refers to",
                )
            }
            Ok(secret) => Some(secret),
            Err(why) => {
                let message = format!("the secret of `{}` cannot be read: {why}", self.key);
                let help =
                    "set the variable or make the file readable; paths are relative to this file";
                self.refuse("secret_unreadable", message, help)
            }
        }
    }

    /// Where the secret lies, if it is in a file.
    pub(super) fn secret_path(&self) -> Option<PathBuf> {
        let DeValue::String(text) = self.inner else {
            return None;
        };
        let path = text.strip_prefix("file:")?;
        Some(self.walk.files.resolve(Path::new(path)))
    }

    /// A path, with or without `file:`, as the process may open it.
    pub(super) fn path(&self) -> Option<PathBuf> {
        Some(self.walk.files.resolve(self.written_path()?))
    }

    /// The bytes of the file that it names.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let path = self.written_path()?;
        self.walk
            .files
            .read(path)
            .map_err(|why| {
                let message = format!("the file of `{}` cannot be read: {why}", self.key);
                let help = "make the file readable; paths are relative to this file";
                self.refuse::<()>("file_unreadable", message, help)
            })
            .ok()
    }

    /// Lets whoever knows certificates judge the file that it names.
    pub(super) fn judged(
        &self,
        judge: impl FnOnce(&dyn Files, &Path) -> Result<(), String>,
        help: &str,
    ) -> Option<PathBuf> {
        let path = self.path()?;
        match judge(self.walk.files, &path) {
            Ok(()) => Some(path),
            Err(why) => {
                let message = format!("the file of `{}` cannot be used: {why}", self.key);
                self.refuse("file_invalid", message, help)
            }
        }
    }

    fn written_path(&self) -> Option<&'w Path> {
        match self.line()? {
            "file:" => self.names_nothing("file", "file:", "write its path: \"file:PATH\""),
            text => Some(Path::new(text.strip_prefix("file:").unwrap_or(text))),
        }
    }

    fn names_nothing<T>(&self, what: &str, scheme: &str, help: &str) -> Option<T> {
        let message = format!("`{}` names no {what} behind `{scheme}`", self.key);
        self.refuse("value_empty", message, help)
    }
}

/// What to write where a secret is meant.
const SECRET_HELP: &str = "write a reference: \"env:NAME\" or \"file:PATH\"";
