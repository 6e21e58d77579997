//! Files and environment as the configuration names them: relative to its folder, bounded in size, remembered by digest.
//! Knows nothing of what stands in them.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rustix::fs::{Access, access};

use super::certificates;
use crate::config::Files;
use crate::secret::Secret;
use crate::time::Timestamp;

/// The largest file that is read: nothing that belongs into a configuration is larger.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What was read, by path: the digest of the bytes, `None` for what could not be read.
pub type Readings = BTreeMap<PathBuf, Option<blake3::Hash>>;

/// Reads what one configuration file refers to, and remembers it.
#[derive(Debug)]
pub struct DiskFiles {
    folder: PathBuf,
    now: Timestamp,
    readings: Mutex<Readings>,
}

impl DiskFiles {
    /// Reads relative to the folder of `config`, the configuration file, and judges certificates as of `now`.
    pub fn beside(config: &Path, now: Timestamp) -> Self {
        // Absolute, so that a path that was resolved once may be resolved again.
        let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
        Self {
            folder: config.parent().map(Path::to_owned).unwrap_or_default(),
            now,
            readings: Mutex::default(),
        }
    }

    /// The bytes of the configuration itself, at `path`.
    pub(super) fn read_config(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.remember(path.to_owned())
    }

    /// Everything that was read until now.
    pub fn readings(&self) -> Readings {
        self.readings
            .lock()
            .expect("nobody panics while recording a digest")
            .clone()
    }

    fn remember(&self, path: PathBuf) -> Result<Vec<u8>, String> {
        let bytes = read_capped(&path);
        let digest = bytes.as_ref().ok().map(|bytes| blake3::hash(bytes));
        self.readings
            .lock()
            .expect("nobody panics while recording a digest")
            .insert(path, digest);
        bytes
    }
}

impl Files for DiskFiles {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    fn env(&self, name: &str) -> Result<Secret, String> {
        use std::os::unix::ffi::OsStringExt;
        match std::env::var_os(name) {
            Some(value) if !value.is_empty() => Ok(Secret::new(value.into_vec())),
            Some(_) => Err(format!("the environment variable {name} is empty")),
            None => Err(format!("the environment variable {name} is not set")),
        }
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.remember(self.resolve(path))
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    fn check_log(&self, path: &Path) -> Result<(), String> {
        writable(path).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    fn check_store(&self, path: &Path) -> Result<(), String> {
        // Whose store it is, whoever serves knows: others may ask what the configuration means, and may not write there.
        let outcome = match std::fs::metadata(path) {
            Ok(there) if !there.is_dir() => Ok(()),
            // Nor may they look into its folder.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
            _ => writable(path),
        };
        outcome.map_err(|error| format!("cannot keep sessions in {}: {error}", path.display()))
    }

    fn check_folder(&self, path: &Path) -> Result<(), String> {
        let outcome = match std::fs::metadata(path) {
            Ok(there) if !there.is_dir() => Err(ErrorKind::NotADirectory.into()),
            Err(error) if error.kind() == ErrorKind::NotADirectory => Err(error),
            _ => Ok(()),
        };
        outcome.map_err(|error| format!("cannot keep anything in {}: {error}", path.display()))
    }

    fn check_url(&self, url: &str) -> Result<(), String> {
        reqwest::Url::parse(url)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    fn check_chain(&self, path: &Path) -> Result<(), String> {
        certificates::check_chain(path, self)
    }

    fn check_validity(&self, chain: &Path) -> Result<(), String> {
        certificates::check_validity(chain, self, self.now)
    }

    fn check_pair(&self, chain: &Path, key: &Path) -> Result<(), String> {
        certificates::check_pair(chain, key, self)
    }

    fn check_authorities(&self, path: &Path) -> Result<(), String> {
        certificates::check_authorities(path, self)
    }
}

/// Whether this process may append to the file at `path`, or make it. Asks only: nothing is made.
fn writable(path: &Path) -> std::io::Result<()> {
    match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path);
            Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
        }
        _ => Ok(access(path, Access::WRITE_OK)?),
    }
}

/// Reads the same files again.
pub(super) fn read_again(readings: &Readings) -> Readings {
    readings
        .keys()
        .map(|path| {
            let digest = read_capped(path).ok().map(|bytes| blake3::hash(&bytes));
            (path.clone(), digest)
        })
        .collect()
}

fn read_capped(path: &Path) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    if !std::fs::metadata(path).map_err(told)?.is_file() {
        // A FIFO would be waited for without end.
        return Err(format!("{} is not a file", path.display()));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .map_err(told)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(told)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!(
            "{} is larger than {FILE_BYTES_MAX} bytes",
            path.display()
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{DiskFiles, FILE_BYTES_MAX, read_again};
    use crate::config::Files;
    use crate::time::Timestamp;

    fn beside(config: &Path) -> DiskFiles {
        DiskFiles::beside(config, Timestamp::from_secs(1_790_000_000))
    }

    #[test]
    fn paths_are_relative_to_the_configuration() {
        let files = beside(Path::new("/etc/tollgate/gateway.toml"));
        assert_eq!(
            files.resolve(Path::new("tls.key")),
            Path::new("/etc/tollgate/tls.key")
        );
        assert_eq!(
            files.resolve(Path::new("/run/tls.key")),
            Path::new("/run/tls.key")
        );
    }

    #[test]
    fn a_changed_file_is_seen_when_it_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "one").unwrap();
        let files = beside(&folder.path().join("gateway.toml"));
        files.read(Path::new("a")).unwrap();
        files.read(Path::new("missing")).unwrap_err();
        assert_eq!(read_again(&files.readings()), files.readings());
        std::fs::write(folder.path().join("a"), "two").unwrap();
        assert_ne!(read_again(&files.readings()), files.readings());
    }

    #[test]
    fn a_file_over_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = vec![b'x'; FILE_BYTES_MAX as usize + 1];
        std::fs::write(folder.path().join("big"), bytes).unwrap();
        let files = beside(&folder.path().join("gateway.toml"));
        let told = files.read(Path::new("big")).unwrap_err();
        assert!(told.contains("larger than 1048576 bytes"), "{told}");
    }

    #[test]
    fn a_log_is_written_beside_or_where_there_is_a_folder_and_trying_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let files = beside(&folder.path().join("gateway.toml"));
        let told = |path: &str| files.check_log(&files.resolve(Path::new(path))).err();
        assert_eq!(told("access.log"), None);
        assert!(!folder.path().join("access.log").exists());
        std::fs::write(folder.path().join("access.log"), "{}\n").unwrap();
        assert_eq!(told("access.log"), None);
        assert!(told("absent/access.log").unwrap().contains("No such file"));
        assert!(told("access.log/x").unwrap().contains("Not a directory"));
        assert!(told(".").unwrap().contains("is a directory"));
    }

    #[test]
    fn a_url_that_nobody_could_call_is_refused() {
        let files = beside(Path::new("gateway.toml"));
        for (url, sound) in [
            ("https://identity.internal/login", true),
            ("https://xn--mnchen-3ya.example/login", true),
            ("https://xn--a.internal/login", false),
            ("https://a.0x1ff/login", false),
        ] {
            assert_eq!(files.check_url(url).is_ok(), sound, "{url}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let files = beside(&folder.path().join("gateway.toml"));
        let told = files.read(Path::new("")).unwrap_err();
        assert!(told.contains("is not a file"), "{told}");
    }
}
