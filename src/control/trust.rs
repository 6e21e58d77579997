//! Whom the gate trusts when it connects to a server: the system's authorities, or a bundle's alone. A certificate that
//! the bundle holds is trusted as an authority, and where a server shows that very one: most that are made by hand are both,
//! and webpki takes none that may sign others for a server's (RFC 5280 §4.2.1.9).

use std::sync::Arc;

use reqwest::{Client, ClientBuilder};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{causes, certificates};

/// How the gate speaks TLS to servers that it is to trust: those of the system without a bundle of PEM, else the bundle's
/// alone. The protocols of ALPN in their order.
///
/// # Errors
/// A text for the operator.
pub fn client(bundle: Option<&[u8]>, alpn: &[&[u8]]) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match bundle {
        Some(pem) => Arc::new(Bundled::read(pem)?),
        None => {
            let of_system = rustls_platform_verifier::Verifier::new(provider.clone());
            Arc::new(of_system.map_err(|error| error.to_string())?)
        }
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// A client of HTTP that trusts the system's authorities. A machine without any can still speak plain http; https fails
/// there, as it must. `whom` it is for.
///
/// # Errors
/// A text for the operator.
pub(super) fn of_system(builder: impl Fn() -> ClientBuilder, whom: &str) -> Result<Client, String> {
    let built = builder().build().or_else(|error| {
        let error = causes::told(error);
        tracing::warn!(
            error,
            "no root certificates of the system: https to {whom} will fail"
        );
        builder().tls_certs_only([]).build()
    });
    built.map_err(causes::told)
}

/// Trusts a bundle.
#[derive(Debug)]
struct Bundled {
    held: Vec<CertificateDer<'static>>,
    by_authority: Arc<WebPkiServerVerifier>,
}

impl Bundled {
    fn read(pem: &[u8]) -> Result<Self, String> {
        let held = certificates::of_pem(pem, "the certificate bundle")?;
        let roots = certificates::authorities(&held)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let by_authority = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
        let by_authority = by_authority.build().map_err(|error| error.to_string())?;
        Ok(Self { held, by_authority })
    }
}

impl ServerCertVerifier for Bundled {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.held.contains(shown) {
            verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
            verify_time(shown, now)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.by_authority
            .verify_server_cert(shown, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority
            .verify_tls12_signature(message, shown, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority
            .verify_tls13_signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
    }
}

/// Whether a certificate's time has come and is not over.
fn verify_time(shown: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (_, shown) = X509Certificate::from_der(shown).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < shown.validity().not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > shown.validity().not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::*;

    fn self_signed(name: &str, is_ca: IsCa) -> rcgen::Certificate {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = is_ca;
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2026, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap()
    }

    fn trusts(held: &rcgen::Certificate, shown: &rcgen::Certificate, name: &str, at: u64) -> bool {
        let bundle = Bundled::read(held.pem().as_bytes()).unwrap();
        let name = ServerName::try_from(name).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(at));
        let verified = bundle.verify_server_cert(shown.der(), &[], &name, &[], now);
        verified.is_ok()
    }

    const IN_2024: u64 = 1_710_000_000;
    const IN_2025: u64 = 1_750_000_000;
    const IN_2026: u64 = 1_790_000_000;

    #[test]
    fn a_server_that_shows_a_certificate_of_the_bundle_is_trusted_for_its_name_and_its_time_alone()
    {
        for is_ca in [
            IsCa::Ca(BasicConstraints::Unconstrained),
            IsCa::ExplicitNoCa,
            IsCa::NoCa,
        ] {
            let held = self_signed("a.test", is_ca);
            let twin = self_signed("a.test", is_ca);
            assert!(trusts(&held, &held, "a.test", IN_2025));
            assert!(!trusts(&held, &held, "b.test", IN_2025));
            assert!(!trusts(&held, &held, "a.test", IN_2024));
            assert!(!trusts(&held, &held, "a.test", IN_2026));
            assert!(!trusts(&held, &twin, "a.test", IN_2025));
        }
    }

    #[test]
    fn a_bundle_without_a_certificate_trusts_nobody() {
        let told = Bundled::read(b"").unwrap_err();
        assert!(told.contains("holds no certificate"), "{told}");
    }
}
