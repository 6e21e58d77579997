//! Sessions in one SQLite file: write-ahead log, every commit synced, one writer that commits in groups, one reader. Two
//! processes may hold the file at once; each hears of the other's revocations within [`writer::FOLLOW_EVERY`].
//!
//! The file can be read with `sqlite3`. Nothing in it can be presented as a token.

mod backup;
mod db;
mod file;
mod owed;
mod place;
mod reader;
mod row;
mod rows;
mod schema;
mod sweep;
mod time;
mod writer;

pub use backup::backup;
pub use file::{OpenError, SqliteStore};
