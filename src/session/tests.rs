//! What sessions promise: tokens that cannot be altered, chains that cannot fork, the dead that stay dead.

mod mint;
mod model;
mod signing;
mod support;
mod tokens;

pub(crate) use support::{Counting, keys};
