//! A copy of the store while it is in use.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::file::{OpenError, create_private};

/// Copies the store at `source` to the new file `target` (mode 0600), page by page, while others use it. The copy is as of
/// one moment.
///
/// # Errors
/// [`OpenError`] when either cannot be used; `target` must not exist.
pub fn backup(source: &Path, target: &Path) -> Result<(), OpenError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Sqlite { path, source }
    };
    if target.exists() {
        return Err(OpenError::Io {
            path: target.to_owned(),
            source: std::io::ErrorKind::AlreadyExists.into(),
        });
    }
    let from = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(failed(source))?;
    create_private(target).map_err(|source| OpenError::Io {
        path: target.to_owned(),
        source,
    })?;
    let copied = copy(&from, target);
    if copied.is_err() {
        // Half a copy would only be in the way of the next one. The error that counts is the one above.
        let _ = std::fs::remove_file(target);
    }
    copied.map_err(failed(target))
}

fn copy(from: &Connection, target: &Path) -> rusqlite::Result<()> {
    let mut to = Connection::open(target)?;
    Backup::new(from, &mut to)?.run_to_completion(PAGES, PAUSE, None)
}

/// Half a megabyte at a time: the writer gets its turn in between.
const PAGES: i32 = 128;
const PAUSE: Duration = Duration::from_millis(5);
