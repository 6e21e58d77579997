//! TLS of a listener: 1.2 and 1.3, certificates by SNI and by key, tickets, ALPN, and client certificates where the
//! operator wants them. Follows the certificates as they are replaced; opens no file.

use std::cmp::Reverse;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, SignatureScheme, version};

use crate::config::model::Listener;
use crate::control::{Certificate, Certificates, ListenerCertificates, Live};

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

    /// The configuration for the next handshake; made anew when the certificates became others, or the protocols of the
    /// listener: its tickets outlive a reload of anything else. `None` while there is no certificate, or none that rustls
    /// takes.
    pub(super) fn config(&self, listener: &Listener) -> Option<Arc<ServerConfig>> {
        let all = self.certificates.load();
        let now = all.find(&self.listener)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = |made: &&mut Made| {
            made.has_http2 == listener.http2
                && (Arc::ptr_eq(&made.of, now) || made.of.shows_the_same_as(now))
        };
        if let Some(made) = made.as_mut().filter(is_current) {
            made.of = now.clone();
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

/// Chooses the certificate for each handshake.
#[derive(Debug)]
struct BySni(Arc<ListenerCertificates>);

impl ResolvesServerCert for BySni {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().unwrap_or_default();
        let shown = choose(&self.0.certificates, asked, hello.signature_schemes())?;
        Some(shown.certified.clone())
    }
}

/// The certificate for `asked` and for a client that verifies `schemes`: one that has the name, of these one with a key
/// that the client can use, of these one that has the name itself rather than a wildcard, of these the first.
fn choose<'c>(
    all: &'c [Certificate],
    asked: &str,
    schemes: &[SignatureScheme],
) -> Option<&'c Certificate> {
    let is_usable = |one: &&Certificate| one.certified.key.choose_scheme(schemes).is_some();
    let fitting = all.iter().filter_map(|one| {
        let fits = one.names.iter().filter_map(|name| fit(name, asked));
        Some((one, fits.max()?))
    });
    match fitting.min_by_key(|(one, fit)| Reverse((is_usable(one), *fit))) {
        Some((one, _)) => Some(one),
        None => all.iter().find(is_usable).or(all.first()),
    }
}

/// How a certificate's name is one for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Wildcard,
    Exact,
}

/// How a certificate's name is one for `asked`, if it is (RFC 6125 §6.4): `*.` stands for one label.
fn fit(name: &str, asked: &str) -> Option<Fit> {
    match name.strip_prefix("*.") {
        None => name.eq_ignore_ascii_case(asked).then_some(Fit::Exact),
        Some(suffix) => asked
            .split_once('.')
            .is_some_and(|(first, rest)| !first.is_empty() && rest.eq_ignore_ascii_case(suffix))
            .then_some(Fit::Wildcard),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
    use rustls::pki_types::PrivateKeyDer;

    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        for (name, asked, expected) in [
            ("a.example.com", "A.example.com", Some(Fit::Exact)),
            ("*.example.com", "a.example.com", Some(Fit::Wildcard)),
            ("*.example.com", "a.b.example.com", None),
            ("*.example.com", "example.com", None),
            ("*.example.com", ".example.com", None),
            ("b.example.com", "a.example.com", None),
        ] {
            assert_eq!(fit(name, asked), expected, "{name} for {asked}");
        }
    }

    #[test]
    fn a_certificate_is_chosen_by_its_name_and_by_what_the_client_can_verify() {
        let (p256, ed25519) = (&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519);
        let all = [
            certificate("*.test", p256),
            certificate("a.test", p256),
            certificate("a.test", ed25519),
            certificate("b.test", ed25519),
        ];
        let (ecdsa, eddsa) = (
            &[SignatureScheme::ECDSA_NISTP256_SHA256][..],
            &[SignatureScheme::ED25519][..],
        );
        for (asked, schemes, expected) in [
            ("a.test", ecdsa, 1),
            ("a.test", eddsa, 2),
            ("a.test", &[eddsa[0], ecdsa[0]], 1),
            // A name that the client accepts comes before the exact one that it cannot verify.
            ("b.test", ecdsa, 0),
            ("b.test", eddsa, 3),
            ("c.test", ecdsa, 0),
            // A name that is its own before any other, though the client can verify neither.
            ("a.test", &[], 1),
            ("c.example", ecdsa, 0),
            ("", eddsa, 2),
            ("", &[], 0),
        ] {
            let chosen = choose(&all, asked, schemes).unwrap();
            assert!(
                std::ptr::eq(chosen, &raw const all[expected]),
                "{asked} {schemes:?}: {:?}",
                chosen.names
            );
        }
    }

    fn certificate(name: &str, algorithm: &'static rcgen::SignatureAlgorithm) -> Certificate {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let chain = vec![params.self_signed(&key).unwrap().der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        Certificate {
            certified: Arc::new(certified.unwrap()),
            names: vec![name.into()],
            expires_at: Timestamp::from_secs(0),
        }
    }
}
