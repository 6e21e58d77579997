//! `[server]`: the process as a whole.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::model::Server;
use crate::config::table::Table;
use crate::config::value::Value;

/// Reads `[server]`, or says what it is by default.
pub(in crate::config) fn server(table: Option<&Table<'_>>) -> Server {
    let mut server = Server {
        threads: None,
        drain: Duration::from_secs(30),
        state_dir: None,
    };
    if let Some(table) = table {
        let threads = table.read("threads", |value| value.count(0..=1024));
        server.threads = threads
            .filter(|threads| *threads > 0)
            .map(|threads| threads as usize);
        server.drain = table.read_or("drain", server.drain, Value::duration);
        server.state_dir = table.read("state_dir", folder);
    }
    server
}

/// A folder that is there, or that the first write makes.
fn folder(value: &Value<'_>) -> Option<PathBuf> {
    let path = value.path()?;
    match value.walk.files.check_folder(&path) {
        Ok(()) => Some(path),
        Err(why) => {
            let help = "name a folder; it is made when something is to be kept";
            value.refuse("folder_unusable", why, help)
        }
    }
}
