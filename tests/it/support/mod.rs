//! A gateway, an upstream that records, an issuer that signs, and a client that sends exact bytes.

mod client;
mod gateway;
mod issuer;
mod process;
mod provider;
mod upstream;

pub use client::{Answer, Client};
pub use gateway::{ADMIN_TOKEN, Gateway, free_address};
pub use issuer::{Issuer, now};
pub use process::{Process, client_file, output, python};
pub use provider::{Answer as ProviderAnswer, Provider};
pub use upstream::{Upstream, read_request};
