//! `gateway.toml` → [`Config`]: parse, do not validate. The spanned document is walked once, every fault is collected
//! with its place and a way out, and what comes out is always sound. Reads no file: text and secrets are arguments.

mod between;
mod check;
mod diagnostic;
mod endpoints;
mod files;
mod mask;
pub mod model;
mod names;
mod nearest;
mod reference;
mod referred;
mod report;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod units;
mod url;
mod value;
mod walk;

pub use check::check;
pub use diagnostic::{Diagnostic, Severity};
pub use endpoints::{IDENTITY_JWKS_PATH, SessionEndpoint, SessionPaths};
pub use files::Files;
pub use model::Config;
pub use reference::REFERENCE;
pub use report::{Colour, Report};
