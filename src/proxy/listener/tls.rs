//! TLS of a listener: 1.2 and 1.3, certificates by SNI, tickets, ALPN, and client certificates where the operator wants
//! them. Follows the certificates as they are replaced; opens no file.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, version};

use crate::config::model::Listener;
use crate::control::{Certificates, ListenerCertificates, Live};

/// TLS of one listener.
pub(super) struct ServerTls {
    listener: Arc<str>,
    certificates: Arc<Live<Certificates>>,
    /// The configuration made last, and what it was made of.
    made: Mutex<Option<Made>>,
}

#[derive(Clone)]
struct Made {
    of: Arc<ListenerCertificates>,
    has_http2: bool,
    config: Arc<ServerConfig>,
}

impl ServerTls {
    pub(super) fn new(listener: &Arc<str>, certificates: Arc<Live<Certificates>>) -> Self {
        Self {
            listener: listener.clone(),
            certificates,
            made: Mutex::new(None),
        }
    }

    /// The configuration for the next handshake; made anew when the certificates were replaced, or the protocols of the
    /// listener. `None` while there is no certificate, or none that rustls takes.
    pub(super) fn config(&self, listener: &Listener) -> Option<Arc<ServerConfig>> {
        let all = self.certificates.load();
        let now = all.find(&self.listener)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current =
            |made: &&Made| Arc::ptr_eq(&made.of, now) && made.has_http2 == listener.http2;
        if let Some(made) = made.as_ref().filter(is_current) {
            return Some(made.config.clone());
        }
        match server_config(now, listener.http2) {
            Ok(config) => {
                let config = Arc::new(config);
                *made = Some(Made {
                    of: now.clone(),
                    has_http2: listener.http2,
                    config: config.clone(),
                });
                Some(config)
            }
            Err(error) => {
                tracing::error!(listener = %self.listener, %error, "the certificates cannot be used");
                made.as_ref().map(|made| made.config.clone())
            }
        }
    }
}

/// Why certificates make no TLS.
#[derive(Debug)]
enum TlsError {
    Tls(rustls::Error),
    Roots(rustls::server::VerifierBuilderError),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(error) => error.fmt(f),
            Self::Roots(error) => error.fmt(f),
        }
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}

fn server_config(
    shown: &Arc<ListenerCertificates>,
    has_http2: bool,
) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?;
    let builder = match &shown.client_roots {
        None => builder.with_no_client_auth(),
        Some(certificates) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates {
                roots.add(certificate.clone())?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(TlsError::Roots)?)
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(BySni(shown.clone())));
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    let spoken: &[&[u8]] = match has_http2 {
        true => &[b"h2", b"http/1.1", b"http/1.0"],
        false => &[b"http/1.1", b"http/1.0"],
    };
    config.alpn_protocols = spoken.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// Chooses the certificate by the name that the client asks for; the first one for any other.
#[derive(Debug)]
struct BySni(Arc<ListenerCertificates>);

impl ResolvesServerCert for BySni {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let all = &self.0.certificates;
        let asked = hello.server_name().unwrap_or_default();
        let for_it = all
            .iter()
            .find(|one| one.names.iter().any(|name| covers(name, asked)));
        let shown = for_it.or_else(|| all.first())?;
        Some(shown.certified.clone())
    }
}

/// Whether a certificate's name is one for `asked` (RFC 6125 §6.4): `*.` stands for one label.
fn covers(name: &str, asked: &str) -> bool {
    match name.strip_prefix("*.") {
        None => name.eq_ignore_ascii_case(asked),
        Some(suffix) => asked
            .split_once('.')
            .is_some_and(|(first, rest)| !first.is_empty() && rest.eq_ignore_ascii_case(suffix)),
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        for (name, asked, expected) in [
            ("a.example.com", "A.example.com", true),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("b.example.com", "a.example.com", false),
        ] {
            assert_eq!(covers(name, asked), expected, "{name} for {asked}");
        }
    }
}
