//! `[upstreams.NAME]`: where requests go once they may pass.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// `[upstreams.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The name in the configuration: the metric label and the assertion's audience.
    pub name: Arc<str>,
    /// Its servers. Never empty.
    pub servers: Vec<ServerAddress>,
    /// What they speak.
    pub protocol: Protocol,
    /// TLS, verified always.
    pub tls: Option<UpstreamTls>,
    /// For the connection, its TLS handshake included.
    pub connect_timeout: Duration,
    /// From the request's last byte to the answer's first.
    pub response_timeout: Duration,
    /// The longest pause within an answer or a tunnel.
    pub idle_timeout: Duration,
    /// How long an unused connection is kept.
    pub keepalive_timeout: Duration,
    /// Unused connections kept to one server, per worker.
    pub keepalive_max: usize,
    /// How long a server that refused a connection is passed over.
    pub retry_after: Duration,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ServerAddress {
    /// An address.
    Ip(SocketAddr),
    /// A name, resolved off the request path.
    Name {
        /// The name.
        host: Box<str>,
        /// The port.
        port: u16,
    },
}

impl std::fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// What an upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    H1,
    /// HTTP/2: over TLS by ALPN, in clear text by prior knowledge.
    H2,
}

/// TLS to an upstream. There is no way to turn verification off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamTls {
    /// The name that the certificate must be for, and the SNI.
    pub name: Box<str>,
    /// Certificate bundle to trust instead of the system's.
    pub ca: Option<Bundle>,
}

/// A file of certificates. Two with the same path and other content are two: a file that is replaced is another trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Where it is.
    pub path: PathBuf,
    /// What it was when the configuration was read.
    pub pem: Arc<[u8]>,
}
