//! Where the store lies. A file that was taken away or replaced takes commits as before, and no later process finds them.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The path of the file that was opened, and which file that was.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    /// The file at `path`.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: file_at(path)?,
        })
    }

    /// Whether the path leads to that file still. Logs it where it does not.
    pub(super) fn holds(&self) -> bool {
        let holds = file_at(&self.path).is_ok_and(|file| file == self.file);
        if !holds {
            tracing::error!(
                path = %self.path.display(),
                "the session store was moved or replaced: sessions answer 503 until it is put back or tollgate is restarted"
            );
        }
        holds
    }
}

/// Device and number of the file that a path leads to.
fn file_at(path: &Path) -> io::Result<(u64, u64)> {
    let file = std::fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}
