//! `tollgate key rotate`: puts a new key behind the one that signs access tokens. The running gateway sees the changed file,
//! publishes the key, and lets it sign when its time has come.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::args::RotateOptions;
use super::{output, private_keys};
use crate::control::{self, SystemClock};
use crate::session::{JWKS_LIFETIME, KeyFile, Rotate, ScheduledKey, Stage, Waiting};
use crate::time::{Clock as _, Timestamp};

pub(super) fn run(options: &RotateOptions) -> anyhow::Result<ExitCode> {
    let config = control::load(&options.file.config)?.config;
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
    let mut file = KeyFile::parse(&private_keys::read(&path)?).map_err(anyhow::Error::msg)?;
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
    let replaced = replace(&path, file.to_text().expose());
    replaced.with_context(|| format!("cannot write {}", path.display()))?;
    output::result(shown(&file, &asked))?;
    Ok(ExitCode::SUCCESS)
}

/// Replaces a file whole: whoever reads it, and whoever reads it after a crash, finds all of the old or all of the new. Its
/// owner stays, and nobody may read it who could not before.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = fs::metadata(path)?;
    let draft = path.with_extension("rotating");
    // Fails while another rotation is under way.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| chown(&draft, Some(before.uid()), Some(before.gid())))
        .and_then(|()| {
            let mode = before.permissions().mode() & GROUP_MAY_READ | 0o600;
            file.set_permissions(fs::Permissions::from_mode(mode))
        })
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // The error that counts is the one above.
        let _ = fs::remove_file(&draft);
    }
    written?;
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
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
