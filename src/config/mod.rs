//! `gateway.toml` → [`Config`]: parse, do not validate. The spanned document is walked once, every fault is collected
//! with its place and a way out, and what comes out is always sound. Reads no file: text and secrets are arguments.

pub mod model;

pub use model::Config;
