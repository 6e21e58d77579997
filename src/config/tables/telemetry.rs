//! `[telemetry]`: what the gate tells about its work.

use std::path::Path;

use crate::config::model::{AccessLog, SubjectInLog, Telemetry};
use crate::config::table::Table;
use crate::config::value::Value;

/// Reads `[telemetry]`, or says what it is by default.
pub(in crate::config) fn telemetry(table: Option<&Table<'_>>) -> Telemetry {
    let mut telemetry = Telemetry {
        access_log: AccessLog::Stdout,
        subject: SubjectInLog::Hashed,
    };
    if let Some(table) = table {
        telemetry.access_log = table.read_or("access_log", AccessLog::Stdout, access_log);
        let words = [
            ("hashed", SubjectInLog::Hashed),
            ("plain", SubjectInLog::Plain),
        ];
        telemetry.subject = table.read_or("subject", telemetry.subject, |value| value.word(&words));
    }
    telemetry
}

fn access_log(value: &Value<'_>) -> Option<AccessLog> {
    match value.line()? {
        "stdout" => Some(AccessLog::Stdout),
        "off" => Some(AccessLog::Off),
        text => match text.strip_prefix("file:") {
            Some(path) if !path.is_empty() => log_file(value, Path::new(path)),
            _ => value.refuse(
                "word_unknown",
                "`access_log` is no place for a log",
                "write \"stdout\", \"file:PATH\" or \"off\"",
            ),
        },
    }
}

fn log_file(value: &Value<'_>, path: &Path) -> Option<AccessLog> {
    let files = value.walk.files;
    let path = files.resolve(path);
    match files.check_log(&path) {
        Ok(()) => Some(AccessLog::File(path)),
        Err(why) => {
            let help = "make its folder, and let whoever runs the gateway write there";
            value.refuse("log_unwritable", why, help)
        }
    }
}
