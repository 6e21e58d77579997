//! One file becomes one configuration, the same way for `run`, `check`, `explain` and a reload. Decides nothing.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::files::{DiskFiles, Readings};
use crate::config::{self, Colour, Config, Diagnostic, Report};
use crate::time::Timestamp;

/// A configuration that can serve.
#[derive(Debug)]
pub struct Loaded {
    /// What it means.
    pub config: Arc<Config>,
    /// The file, as it was read.
    pub source: Source,
    /// Its warnings.
    pub warnings: Vec<Diagnostic>,
    /// What was read for it, the file itself included; reads on.
    pub files: DiskFiles,
}

impl Loaded {
    /// Its warnings, rendered; empty when there is none.
    pub fn warnings_text(&self) -> String {
        self.source.report(&self.warnings).to_text(Colour::Plain)
    }
}

/// A configuration file as it was read.
#[derive(Debug)]
pub struct Source {
    /// Its name, as it was asked for.
    pub name: String,
    /// Its text. Secrets may stand in it that do not belong there: shown only by way of a report.
    pub text: String,
}

impl Source {
    /// Diagnostics of this file, ready to be shown.
    pub fn report<'r>(&'r self, diagnostics: &'r [Diagnostic]) -> Report<'r> {
        Report::new(&self.name, &self.text, diagnostics)
    }
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
        /// The file.
        source: Source,
        /// Every fault and warning, in the order of the file.
        diagnostics: Vec<Diagnostic>,
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
        match self {
            Self::Unreadable { text, .. } => f.write_str(text),
            Self::Faulty {
                source,
                diagnostics,
                ..
            } => f.write_str(&source.report(diagnostics).to_text(Colour::Plain)),
        }
    }
}

impl std::error::Error for LoadError {}

/// Reads and checks the configuration at `path`, as of `now`.
///
/// # Errors
/// [`LoadError`] with everything that is wrong, not only with what was found first.
pub fn load(path: &Path, now: Timestamp) -> Result<Loaded, LoadError> {
    let files = DiskFiles::beside(path, now);
    let text = match text(&files, path) {
        Ok(text) => text,
        Err(text) => {
            let readings = files.readings();
            return Err(LoadError::Unreadable { text, readings });
        }
    };
    let name = path.display().to_string();
    let source = Source { name, text };
    match config::check(&source.text, &files) {
        Ok((config, warnings)) => Ok(Loaded {
            config: Arc::new(config),
            source,
            warnings,
            files,
        }),
        Err(diagnostics) => Err(LoadError::Faulty {
            source,
            diagnostics,
            readings: files.readings(),
        }),
    }
}

fn text(files: &DiskFiles, path: &Path) -> Result<String, String> {
    let bytes = files.read_config(path)?;
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("{} is not UTF-8 from byte {at} on", path.display())
    })?;
    // Some editors begin a file with it; none counts it as a column.
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    Ok(text)
}

const BYTE_ORDER_MARK: char = '\u{feff}';

#[cfg(test)]
mod tests {
    use super::{LoadError, load};
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    #[test]
    fn a_byte_order_mark_is_no_column() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        std::fs::write(&path, "\u{feff}oops = 1\n").unwrap();
        let Err(LoadError::Faulty {
            source,
            diagnostics,
            ..
        }) = load(&path, NOW)
        else {
            panic!("a key that nobody knows is a fault");
        };
        let json = source.report(&diagnostics).to_json();
        let unknown = &json["diagnostics"][1];
        assert_eq!(
            (&unknown["line"], &unknown["column"]),
            (&1.into(), &1.into())
        );
        assert_eq!(unknown["source"], "oops = 1");
    }

    #[test]
    fn a_certificate_that_clients_refuse_for_its_time_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        let text = "[listeners.public]\naddress = \"127.0.0.1:8080\"\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n";
        std::fs::write(&path, text).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["a".into()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("tls.crt"), certificate.pem()).unwrap();
        std::fs::write(folder.path().join("tls.key"), key.serialize_pem()).unwrap();
        let check = |now: u64, expected: Option<&str>| {
            let loaded = load(&path, Timestamp::from_secs(now)).unwrap();
            let told = loaded.warnings.iter().map(|one| (one.code, &*one.message));
            let message = expected.map(|why| {
                format!("clients refuse the certificate of `certificate`: it {why} +00:00")
            });
            let expected = message.iter().map(|text| ("certificate_untimely", &**text));
            assert!(told.eq(expected), "{now}: {}", loaded.warnings_text());
        };
        check(1_767_225_599, Some("begins on Jan  1 00:00:00 2026"));
        check(1_767_225_600, None);
        check(1_798_761_600, None);
        check(1_798_761_601, Some("expired on Jan  1 00:00:00 2027"));
    }

    #[test]
    fn a_place_where_nothing_can_be_kept_is_a_fault_of_the_key_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        let check = |text: &str, expected: Option<(&str, u64)>| {
            std::fs::write(&path, text).unwrap();
            let Err(LoadError::Faulty {
                source,
                diagnostics,
                ..
            }) = load(&path, NOW)
            else {
                panic!("a gateway without a listener is a fault");
            };
            let json = source.report(&diagnostics).to_json();
            let all = json["diagnostics"].as_array().unwrap();
            let places = ["folder_unusable", "store_unwritable", "log_unwritable"];
            let found = all
                .iter()
                .find(|one| places.iter().any(|code| one["code"] == *code));
            let found =
                found.map(|one| (one["code"].as_str().unwrap(), one["line"].as_u64().unwrap()));
            assert_eq!(found, expected, "{text}\n{json:#}");
        };
        let state = |path: &str| format!("[server]\nstate_dir = \"{path}\"\n");
        check(&state("state/of/it"), None);
        check(&state("."), None);
        check(&state("gateway.toml"), Some(("folder_unusable", 2)));
        check(&state("gateway.toml/state"), Some(("folder_unusable", 2)));
        let store =
            |path: &str| format!("[sessions.store]\nkind = \"sqlite\"\npath = \"{path}\"\n");
        check("[sessions]\n", None);
        check(&store("sessions.db"), None);
        check(&store("gateway.toml"), None);
        check(&store("."), Some(("store_unwritable", 3)));
        check(&store("absent/sessions.db"), Some(("store_unwritable", 3)));
        check(
            &store("gateway.toml/sessions.db"),
            Some(("store_unwritable", 3)),
        );
        check(
            &store("absent/sessions.db").replace("sqlite", "memory"),
            None,
        );
        check(
            "[telemetry]\naccess_log = \"file:absent/access.log\"\n",
            Some(("log_unwritable", 2)),
        );
    }
}
