//! The reference: every key with its default, its unit and one comment.

/// The text of `gateway.toml` in the project's root. It passes [`check`](super::check) on any machine.
pub const REFERENCE: &str = include_str!("../../gateway.toml");
