//! Where the store lies. A file that was taken away or replaced takes commits as before, and no later process finds them. The
//! log beside it is of the store: what was committed last lies there alone.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The paths of the files that were opened, and which files those were.
#[derive(Debug)]
pub(super) struct Place(Vec<(PathBuf, File)>);

/// Device and number of a file.
type File = (u64, u64);

impl Place {
    /// The file at `path`, and what SQLite has beside it by now.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut files = vec![(path.to_owned(), file_at(path)?)];
        // Behind a link SQLite keeps them where the file itself lies.
        let lies = path.canonicalize()?;
        for suffix in ["-wal", "-shm"] {
            let mut beside = lies.clone().into_os_string();
            beside.push(suffix);
            let beside = PathBuf::from(beside);
            if let Ok(file) = file_at(&beside) {
                files.push((beside, file));
            }
        }
        Ok(Self(files))
    }

    /// Whether the paths lead to those files still. Logs it where one does not.
    pub(super) fn holds(&self) -> bool {
        let moved = |(path, file): &&(PathBuf, File)| file_at(path).ok() != Some(*file);
        let moved = self.0.iter().find(moved);
        if let Some((path, _)) = moved {
            tracing::error!(
                path = %path.display(),
                "the session store was moved or replaced: sessions answer 503 until it is put back or tollgate is restarted"
            );
        }
        moved.is_none()
    }
}

/// The file that a path leads to.
fn file_at(path: &Path) -> io::Result<File> {
    let file = std::fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}
