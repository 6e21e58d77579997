//! tollgate: an edge gateway that verifies every token before any business logic runs, gates routes by product and
//! forwards an identity that upstreams can trust.
//!
//! # The floor plan
//!
//! A room imports rooms on lower floors only. Below the waterline there is no pingora, no tokio, no clock, no entropy,
//! no file and no socket: they are arguments.
//!
//! ```text
//! 13  main        exit code
//! 12  cli         words in, words out
//! 11  server      the composition root
//! 10  proxy       the data plane on pingora-core
//!  9  api         our own endpoints and the admin page
//!  8  control     reload, keys, names, health: the single writer of the world
//!  7  telemetry   metrics, access log       store   memory, sqlite
//!  ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ waterline ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
//!  6  gate        may this request pass?
//!  5  config      gateway.toml → Config
//!  4  identity    what the upstream hears
//!  3  policy  session  traffic  wire
//!  2  token       Bearer JWT → Verified
//!  1  principal  secret  time
//! ```
//!
//! # The invariants
//!
//! 1. **No room imports a room on a higher floor.** (`tests/it/architecture.rs`)
//! 2. **Below the waterline nothing reads a clock, draws entropy or does I/O.** (`--no-default-features`, clippy bans)
//! 3. **A `Verified` exists only if `verify` passed; a `Permit` only if `decide` allowed.**
//! 4. **A verdict comes from exactly one `Gate`.**
//! 5. **A `Gate` is replaced whole or not at all, by one writer.**
//! 6. **The request path never waits on the store.**
//! 7. **Identity headers sent by a client never reach an upstream**, on any route: strip, then insert.
//! 8. **Every refusal has one `Reason`**, the same word in metric, log, `explain`, page and README.
//! 9. **A `Secret` cannot be printed.**
//! 10. **Absent means deny**: a route without a requirement is a diagnostic, not a public route.

pub mod config;
pub mod gate;
pub mod identity;
pub mod policy;
pub mod principal;
pub mod secret;
pub mod session;
pub mod time;
pub mod token;
pub mod traffic;
pub mod wire;

#[cfg(feature = "server")]
pub mod api;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod control;
#[cfg(feature = "server")]
pub mod proxy;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod telemetry;

// What the rooms' own tests share with tests over sockets and with fuzzing, which know this crate by its name.
#[cfg(test)]
extern crate self as tollgate;
#[cfg(test)]
#[path = "../tests/data/corpus.rs"]
mod corpus;
