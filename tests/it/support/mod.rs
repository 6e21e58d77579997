//! A gateway, an upstream that records, an issuer that signs, and a client that sends exact bytes.

mod client;
mod gateway;
mod issuer;
mod upstream;

pub use client::{Answer, Client};
pub use gateway::Gateway;
pub use issuer::Issuer;
pub use upstream::Upstream;
