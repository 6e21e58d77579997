//! Certificates of the listeners: read, matched with their keys and ready for TLS before anybody is shown one.
//! Opens no socket and chooses no certificate.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use super::files::DiskFiles;
use crate::config::Config;
use crate::config::model::Listener;
use crate::time::Timestamp;

/// What every listener shows, by the listener's name. Replaced whole at each reload.
#[derive(Debug, Default)]
pub struct Certificates(BTreeMap<Arc<str>, Arc<ListenerCertificates>>);

impl Certificates {
    /// What the listener `name` shows; `None` when it speaks no TLS.
    pub fn find(&self, name: &str) -> Option<&Arc<ListenerCertificates>> {
        self.0.get(name)
    }

    /// When the first certificate of each listener expires.
    pub fn expiries(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.0.iter().filter_map(|(name, listener)| {
            let first = listener.certificates.iter().map(|one| one.expires_at).min();
            Some((&**name, first?))
        })
    }

    /// Reads every listener's certificates.
    ///
    /// # Errors
    /// A text for the operator: what cannot be read, is no certificate, or does not match its key.
    pub(super) fn read(config: &Config, files: &DiskFiles) -> Result<Self, String> {
        let with_tls = config.listeners.iter().filter(|one| one.tls.is_some());
        with_tls
            .map(|listener| {
                let read = ListenerCertificates::read(listener, files)
                    .map_err(|error| format!("listeners.{}: {error}", listener.name))?;
                Ok((listener.name.clone(), Arc::new(read)))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// What one listener shows, and whom it asks for.
#[derive(Debug)]
pub struct ListenerCertificates {
    /// In the order of the configuration; the first is the default. Never empty.
    pub certificates: Vec<Certificate>,
    /// Whoever connects must show a certificate that one of these signed. `None`: nobody is asked.
    pub client_roots: Option<Vec<CertificateDer<'static>>>,
}

/// One certificate with its chain and key.
#[derive(Debug)]
pub struct Certificate {
    /// Chain and key, found to belong together.
    pub certified: Arc<CertifiedKey>,
    /// The names it is for (RFC 6125 §6.4), lower-case, `*.` included.
    pub names: Vec<Box<str>>,
    /// `notAfter` of the leaf.
    pub expires_at: Timestamp,
}

impl ListenerCertificates {
    fn read(_listener: &Listener, _files: &DiskFiles) -> Result<Self, String> {
        unimplemented!()
    }
}
