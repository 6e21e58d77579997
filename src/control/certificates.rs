//! Certificates of the listeners: read, matched with their keys and ready for TLS before anybody is shown one.
//! Says while a file is checked whether that would go well. Opens no socket and chooses no certificate.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, Validity, X509Certificate};
use zeroize::Zeroizing;

use crate::config::model::{CertificateFile, ListenerTls};
use crate::config::{Config, Files};
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
    pub fn read(config: &Config, files: &impl Files) -> Result<Self, String> {
        let listeners = config.listeners.iter();
        listeners
            .filter_map(|listener| Some((listener, listener.tls.as_ref()?)))
            .map(|(listener, tls)| {
                let read = ListenerCertificates::read(tls, files)
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

/// Whether a listener can show the chain at `chain` with the key at `key`.
///
/// # Errors
/// A text for the operator.
pub(super) fn check_pair(chain: &Path, key: &Path, files: &impl Files) -> Result<(), String> {
    let file = CertificateFile {
        chain: chain.into(),
        key: key.into(),
    };
    Certificate::read(&file, files).map(drop)
}

/// Whether the chain at `path` is one that clients can read.
///
/// # Errors
/// A text for the operator.
pub(super) fn check_chain(path: &Path, files: &impl Files) -> Result<(), String> {
    chain(path, files).map(drop)
}

/// Whether clients take the first certificate at `path` at `now` (RFC 5280 §4.1.2.5).
///
/// # Errors
/// A text for the operator: since when, or until when, they do not.
pub(super) fn check_validity(
    path: &Path,
    files: &impl Files,
    now: Timestamp,
) -> Result<(), String> {
    let chain = chain(path, files)?;
    let (_, leaf) = X509Certificate::from_der(&chain[0]).map_err(|error| error.to_string())?;
    let Validity {
        not_before,
        not_after,
    } = leaf.validity();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now > not_after.timestamp() {
        return Err(format!("it expired on {not_after}"));
    }
    if now < not_before.timestamp() {
        return Err(format!("it begins on {not_before}"));
    }
    Ok(())
}

/// Whether every certificate at `path` can be trusted to sign others.
///
/// # Errors
/// A text for the operator.
pub(super) fn check_authorities(path: &Path, files: &impl Files) -> Result<(), String> {
    let checked = authorities(&chain(path, files)?).map(drop);
    checked.map_err(|error| format!("{}: {error}", path.display()))
}

/// Certificates that are trusted to sign others.
///
/// # Errors
/// A text for the operator.
pub(super) fn authorities(held: &[CertificateDer<'static>]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in held {
        let added = roots.add(certificate.clone());
        added.map_err(|error| error.to_string())?;
    }
    Ok(roots)
}

impl ListenerCertificates {
    /// Whether clients meet the same: the chains, and with them the keys, in their order, and whom they must come from.
    pub fn shows_the_same_as(&self, other: &Self) -> bool {
        let [mine, others] =
            [self, other].map(|of| of.certificates.iter().map(|one| &one.certified.cert));
        self.client_roots == other.client_roots && mine.eq(others)
    }

    fn read(tls: &ListenerTls, files: &impl Files) -> Result<Self, String> {
        let certificates = tls.certificates.iter();
        let client_roots = tls.client_ca.as_deref().map(|path| chain(path, files));
        Ok(Self {
            certificates: certificates
                .map(|file| Certificate::read(file, files))
                .collect::<Result<_, _>>()?,
            client_roots: client_roots.transpose()?,
        })
    }
}

impl Certificate {
    fn read(file: &CertificateFile, files: &impl Files) -> Result<Self, String> {
        let at = |path: &Path, error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let chain = chain(&file.chain, files)?;
        let (names, expires_at) = describe(&chain[0]).map_err(|error| at(&file.chain, &error))?;
        let key = Zeroizing::new(files.read(&file.key)?);
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| at(&file.key, &error))?;
        // This also finds that key and certificate do not belong together.
        let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        let certified = certified.map_err(|error| at(&file.key, &fault_of(&error)))?;
        Ok(Self {
            certified: Arc::new(certified),
            names,
            expires_at,
        })
    }
}

/// What is wrong with a key, with the way out.
fn fault_of(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => "not the key of the first certificate".into(),
        rustls::Error::General(_) => {
            "none for TLS: RSA from 2048 bits on, ECDSA on P-256, P-384 or P-521, or Ed25519".into()
        }
        error => error.to_string(),
    }
}

/// Every certificate of a PEM file; at least one, and each of them read: a client gives up at one that it cannot read,
/// wherever it stands.
fn chain(path: &Path, files: &impl Files) -> Result<Vec<CertificateDer<'static>>, String> {
    let held = of_pem(&files.read(path)?, path.display())?;
    for (at, certificate) in held.iter().enumerate() {
        let at = format_args!("{}: certificate {}", path.display(), at + 1);
        match X509Certificate::from_der(certificate) {
            Ok(([], _)) => {}
            Ok(_) => return Err(format!("{at}: bytes behind its end")),
            Err(error) => return Err(format!("{at}: {error}")),
        }
    }
    Ok(held)
}

/// Every certificate of PEM; at least one. `source` is what the operator calls it.
pub(super) fn of_pem(
    pem: &[u8],
    source: impl fmt::Display,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let held: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match held {
        Ok(held) if !held.is_empty() => Ok(held),
        Ok(_) => Err(format!("{source} holds no certificate")),
        Err(error) => Err(format!("{source}: {error}")),
    }
}

/// The DNS names and the expiry of a leaf.
fn describe(leaf: &CertificateDer<'_>) -> Result<(Vec<Box<str>>, Timestamp), String> {
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|error| error.to_string())?;
    let alternatives = leaf.subject_alternative_name();
    let alternatives = alternatives.map_err(|error| error.to_string())?;
    let names = alternatives
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase().into()),
            _ => None,
        });
    let expires_at = u64::try_from(leaf.validity().not_after.timestamp()).unwrap_or(0);
    Ok((names.collect(), Timestamp::from_secs(expires_at)))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::path::Path;

    use super::{CertificateFile, ListenerCertificates, ListenerTls};
    use crate::control::DiskFiles;
    use crate::time::Timestamp;

    /// Writes a certificate for `name` that expires with the year 2030 to `name.crt` and `name.key`.
    fn write(folder: &Path, name: &str) {
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2031, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.join(format!("{name}.crt")), certificate.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn beside(folder: &Path) -> DiskFiles {
        DiskFiles::beside(&folder.join("gateway.toml"), Timestamp::from_secs(0))
    }

    fn read(folder: &Path, chain: &str, key: &str) -> Result<ListenerCertificates, String> {
        let tls = ListenerTls {
            certificates: vec![CertificateFile {
                chain: chain.into(),
                key: key.into(),
            }],
            client_ca: None,
        };
        ListenerCertificates::read(&tls, &beside(folder))
    }

    #[test]
    fn a_certificate_tells_its_names_and_its_expiry() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "Api.Example.com");
        let read = read(folder.path(), "Api.Example.com.crt", "Api.Example.com.key").unwrap();
        let certificate = &read.certificates[0];
        assert_eq!(certificate.names, ["api.example.com".into()]);
        assert_eq!(certificate.expires_at, Timestamp::from_secs(1_924_992_000));
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a");
        write(folder.path(), "b");
        let told = read(folder.path(), "a.crt", "b.key").unwrap_err();
        let expected = "b.key: not the key of the first certificate";
        assert!(told.ends_with(expected), "{told}");
    }

    #[test]
    fn a_chain_in_which_anything_is_no_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a");
        let mut chain = File::options()
            .append(true)
            .open(folder.path().join("a.crt"))
            .unwrap();
        let none = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        chain.write_all(none.as_bytes()).unwrap();
        let told = read(folder.path(), "a.crt", "a.key").unwrap_err();
        assert!(told.contains("a.crt: certificate 2: "), "{told}");
    }

    #[test]
    fn a_file_without_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a");
        let told = read(folder.path(), "a.key", "a.key").unwrap_err();
        assert!(told.contains("holds no certificate"), "{told}");
        let told = read(folder.path(), "a.crt", "a.crt").unwrap_err();
        assert!(told.contains("a.crt"), "{told}");
    }
}
