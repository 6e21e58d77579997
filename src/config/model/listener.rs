//! `[listeners.NAME]` and `[admin]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::secret::Secret;
use crate::wire::Scheme;

/// `[listeners.NAME]`: one socket that clients connect to, with its limits.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The name in the configuration: the metric label.
    pub name: Arc<str>,
    /// Where it listens.
    pub address: SocketAddr,
    /// TLS, if it is spoken here.
    pub tls: Option<ListenerTls>,
    /// What a clear-text listener is for.
    pub on_clear_text: OnClearText,
    /// Whether HTTP/2 is spoken: by ALPN over TLS, by preface in clear text.
    pub http2: bool,
    /// Peers whose `X-Forwarded-*` count.
    pub trusted_proxies: Vec<IpNet>,
    /// From the first byte of a head to its last.
    pub header_timeout: Duration,
    /// The largest head, in bytes.
    pub header_bytes_max: usize,
    /// How long a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// The largest request body, in bytes.
    pub body_bytes_max: u64,
    /// How long the body may pause, and the span over which `body_rate_min` is taken.
    pub body_timeout: Duration,
    /// Bytes a second below which a body is too slow.
    pub body_rate_min: u64,
    /// From the first byte of a head to the last byte of the answer, streams and upgrades excepted.
    pub request_timeout: Option<Duration>,
    /// How long a TLS handshake or an HTTP/2 preface may take.
    pub handshake_timeout: Duration,
    /// Open connections, all together.
    pub connections_max: usize,
    /// Open connections from one address.
    pub connections_per_address_max: usize,
    /// HTTP/2 streams open at once on one connection.
    pub http2_streams_max: u32,
}

impl Listener {
    /// What clients speak to it.
    pub fn scheme(&self) -> Scheme {
        match self.tls {
            Some(_) => Scheme::Https,
            None => Scheme::Http,
        }
    }

    /// Whether it only sends browsers to https.
    pub fn redirects(&self) -> bool {
        self.tls.is_none() && self.on_clear_text == OnClearText::RedirectToHttps
    }

    /// The admin listener, with limits that no operator needs to set.
    pub fn for_admin(admin: &Admin) -> Self {
        const SECONDS: fn(u64) -> Duration = Duration::from_secs;
        Self {
            name: "admin".into(),
            address: admin.address,
            tls: None,
            on_clear_text: OnClearText::Serve,
            http2: false,
            trusted_proxies: Vec::new(),
            header_timeout: SECONDS(10),
            header_bytes_max: 32 << 10,
            idle_timeout: SECONDS(60),
            body_bytes_max: 64 << 10,
            body_timeout: SECONDS(10),
            body_rate_min: 0,
            request_timeout: None,
            handshake_timeout: SECONDS(10),
            connections_max: 1024,
            connections_per_address_max: 1024,
            http2_streams_max: 1,
        }
    }
}

/// What a clear-text listener does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClearText {
    /// Serves them.
    Serve,
    /// Sends browsers to https; 400 for a request that carries a token.
    RedirectToHttps,
}

/// TLS of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerTls {
    /// Chains and keys, chosen by SNI and by what the client can verify; the first is the default. Never empty.
    pub certificates: Vec<CertificateFile>,
    /// A bundle: clients must show a certificate that it signed.
    pub client_ca: Option<PathBuf>,
}

/// One chain and its key, both PEM. They were readable when the configuration was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFile {
    /// The chain.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// `[admin]`.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Where it listens.
    pub address: SocketAddr,
    /// Asked for by every act; without it the API only reads.
    pub token: Option<Secret>,
    /// Names, beside addresses and `localhost`, that a Host may have.
    pub hosts: Vec<Box<str>>,
}
