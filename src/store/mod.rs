//! Where sessions are kept: in memory, or in one SQLite file. A closed set behind the port of [`crate::session`]; what a
//! change means is decided there, these rooms bring rows and transactions. One suite of tests holds them all to the port.

mod adapter;
mod memory;
mod sqlite;
#[cfg(test)]
mod tests;

pub use adapter::{Store, Surroundings};
pub use memory::MemoryStore;
pub use sqlite::{OpenError, SqliteStore, backup};
