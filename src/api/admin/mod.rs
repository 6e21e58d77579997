//! The admin API and its page, on a listener of its own: plain `http` requests in, plain responses out. What it changes
//! or reads of the running gateway it does through [`Acts`]; knows no socket.
//!
//! A browser on the operator's machine can be made to send requests here, so every request is first held to its Host,
//! its Origin and, for whatever changes or tells much, the token. `/livez`, `/readyz` and `/metrics` never need a token;
//! `/api/status` and the page need it where the listener is not on loopback.

mod acts;
mod desk;
mod door;
mod event;
mod fault;
mod heard;
mod page;
mod place;
mod view;
mod wish;

pub use acts::{Acts, Question};
pub use desk::{Admin, BODY_BYTES_MAX};

#[cfg(test)]
mod tests;
