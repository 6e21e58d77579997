//! The folder that survives a restart: small files, each replaced whole. Knows nothing of what stands in them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The largest file that is read back.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// `server.state_dir`: readable by nobody else.
#[derive(Debug, Clone)]
pub(super) struct StateDir(PathBuf);

impl StateDir {
    /// Takes the folder over; it is made by the first write.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Where `name` is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The bytes of `name`; `None` when nothing was ever written there.
    pub(super) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.path(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Replaces `name` whole: after a crash it holds the old bytes or the new ones, never a part.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let target = self.path(name);
        let folder = target.parent().unwrap_or(Path::new("."));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let draft = target.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, &target)?;
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::StateDir;

    #[test]
    fn what_was_written_is_read_back_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::new(folder.path().join("state"));
        assert_eq!(state.read("keys/main.json").unwrap(), None);
        state.write("keys/main.json", b"one").unwrap();
        state.write("keys/main.json", b"two").unwrap();
        assert_eq!(
            state.read("keys/main.json").unwrap().as_deref(),
            Some(&b"two"[..])
        );
        let mode = |path: &str| {
            let path = folder.path().join(path);
            path.metadata().unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode("state/keys/main.json"), 0o600);
        assert_eq!(mode("state"), 0o700);
    }
}
