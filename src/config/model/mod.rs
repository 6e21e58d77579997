//! What a sound `gateway.toml` means, as types that cannot be wrong. No text of the file is left in them.

mod house;
mod issuer;
mod listener;
mod session;
mod upstream;

pub use house::{AccessLog, Config, Cors, Product, Server, SubjectInLog, Telemetry};
pub use issuer::{Issuer, KeySource, PlainHttp, RemoteKeys};
pub use listener::{Admin, CertificateFile, Listener, ListenerTls, OnClearText};
pub use session::{
    Client, ClientAuth, ClientKind, Cookie, Grant, Hook, Rate, SameSite, SessionLimits,
    SessionStoreKind, Sessions, Transport,
};
pub use upstream::{Bundle, Protocol, ServerAddress, Upstream, UpstreamTls};
