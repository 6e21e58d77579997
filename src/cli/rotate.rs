//! `tollgate key rotate`: puts a new key behind the one that signs access tokens. The running gateway sees the changed file,
//! publishes the key, and lets it sign when its time has come.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::args::RotateOptions;
use super::{output, private_keys};
use crate::control::{self, SystemClock};
use crate::session::{JWKS_LIFETIME, KeyFile, Rotate, ScheduledKey, Stage, Waiting};
use crate::time::{Clock as _, Timestamp};

pub(super) fn run(options: &RotateOptions) -> anyhow::Result<ExitCode> {
    let config = control::load(&options.file.config, SystemClock::new().now())?.config;
    let Some(sessions) = &config.sessions else {
        bail!("the configuration has no [sessions]")
    };
    let Some(path) = sessions.signing_keys.file() else {
        bail!("the first of `signing_keys` is not a file, so it cannot be written")
    };
    let lead = Duration::from_secs(options.lead);
    if lead < LEAD_MIN {
        bail!(
            "--lead is at least {} seconds: others keep a copy of the keys that long",
            LEAD_MIN.as_secs()
        );
    }
    let path = fs::canonicalize(path).with_context(|| path.display().to_string())?;
    let draft = Draft::take(&path)?;
    let file = KeyFile::parse(&private_keys::read(&path)?);
    let mut file = private_keys::in_file(file, &path)?;
    let newest = file.keys().next_back().context("no key")?;
    let algorithm = options.algorithm.as_deref();
    let algorithm = algorithm.unwrap_or(newest.key.algorithm().as_str());
    let asked = Rotate {
        now: SystemClock::new().now(),
        lead,
        lifetime: sessions.access_lifetime,
        waiting: match options.replace {
            true => Waiting::Replace,
            false => Waiting::Refuse,
        },
    };
    let rotated = file.rotate(private_keys::make(algorithm)?, &asked);
    rotated.map_err(anyhow::Error::msg)?;
    let replaced = draft.replace(&path, file.to_text().expose());
    replaced.with_context(|| format!("cannot write {}", path.display()))?;
    output::result(shown(&file, &asked))?;
    Ok(ExitCode::SUCCESS)
}

/// What will take the place of a file of keys. While it is there nobody else rotates them: two that read the same keys would
/// each forget the other's.
struct Draft {
    path: PathBuf,
    file: File,
    is_placed: bool,
}

impl Draft {
    fn take(keys: &Path) -> anyhow::Result<Self> {
        let path = keys.with_extension("rotating");
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => Ok(Self {
                path,
                file,
                is_placed: false,
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
                "another rotation is under way; if none is, remove what it left: {}",
                path.display()
            ),
            Err(error) => Err(error).with_context(|| format!("cannot create {}", path.display())),
        }
    }

    /// Replaces the file of keys whole: whoever reads it, and whoever reads it after a crash, finds all of the old or all of
    /// the new. Its owner stays, and nobody may read it who could not before.
    fn replace(mut self, keys: &Path, bytes: &[u8]) -> io::Result<()> {
        let before = fs::metadata(keys)?;
        self.file.write_all(bytes)?;
        chown(&self.path, Some(before.uid()), Some(before.gid()))?;
        let mode = before.permissions().mode() & GROUP_MAY_READ | 0o600;
        self.file
            .set_permissions(fs::Permissions::from_mode(mode))?;
        self.file.sync_all()?;
        fs::rename(&self.path, keys)?;
        self.is_placed = true;
        File::open(keys.parent().unwrap_or(Path::new("/")))?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Once it is placed, what is there is another's.
        if !self.is_placed {
            // The error that counts is the one before.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A line for each key of the file.
fn shown(file: &KeyFile, asked: &Rotate) -> String {
    let stages = file.stages(asked.now, asked.lifetime);
    let line = |(key, stage): (&ScheduledKey, Stage)| {
        let wait = key.signs_from.since(asked.now).as_secs();
        let when = match stage {
            Stage::Next => format!(", signs in {wait} s"),
            _ if key.signs_from == Timestamp::default() => String::new(),
            _ => format!(", since {} s", asked.now.since(key.signs_from).as_secs()),
        };
        format!("{:<8} {}{when}", stage.as_str(), key.key.kid())
    };
    let lines: Vec<_> = file.keys().zip(stages).map(line).collect();
    lines.join("\n")
}

/// The running gateway takes a moment to see the file.
const LEAD_MIN: Duration = Duration::from_secs(JWKS_LIFETIME.as_secs() + 60);
const GROUP_MAY_READ: u32 = 0o040;
