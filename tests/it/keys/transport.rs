//! How keys come: over https with verification, from the places that the operator named, with the headers that he gave.

use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer as Signer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

use super::{SELDOM, config, fate, issuer_table, status_of};
use crate::support::{Gateway, Issuer, Provider, ProviderAnswer, Upstream};

/// A certificate authority, and the certificate that it gave to 127.0.0.1.
struct Authority {
    pem: String,
    tls: Arc<ServerConfig>,
}

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let signer = Signer::new(params, key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&leaf_key, &signer).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let chain = vec![CertificateDer::from(leaf.der().to_vec())];
    let secret = PrivateKeyDer::try_from(leaf_key.serialize_der()).unwrap();
    Authority {
        pem: certificate.pem(),
        tls: Arc::new(
            builder
                .with_no_client_auth()
                .with_single_cert(chain, secret)
                .unwrap(),
        ),
    }
}

#[test]
fn keys_over_https_want_the_authority_that_the_operator_named() {
    let upstream = Upstream::start();
    let (ours, others) = (authority("ours"), authority("others"));
    let issuers =
        ["right", "wrong", "none"].map(|name| Issuer::new(&format!("https://{name}.example.com")));
    let providers = issuers.each_ref().map(|issuer| {
        Provider::start_tls(ProviderAnswer::Document(issuer.jwks()), ours.tls.clone())
    });
    let keys = |at: usize, more: &str| {
        format!(
            "jwks_url = \"{}/jwks\"\nrefresh = {SELDOM}\n{more}",
            providers[at].url()
        )
    };
    let tables = [
        issuer_table("right", &issuers[0], &keys(0, "ca = \"file:ours.pem\"")),
        issuer_table("wrong", &issuers[1], &keys(1, "ca = \"file:others.pem\"")),
        issuer_table("none", &issuers[2], &keys(2, "insecure_http = true")),
    ];
    let files = [("ours.pem", &*ours.pem), ("others.pem", &*others.pem)];
    let gateway = Gateway::start(&config(&upstream, &tables.concat()), &files);
    let fates = issuers
        .each_ref()
        .map(|issuer| fate(&gateway, &issuer.token(json!({}))));
    assert_eq!(
        fates,
        ["passes", "issuer_unavailable", "issuer_unavailable"]
    );
    for name in ["wrong", "none"] {
        let status = status_of(&gateway, name);
        let error = status["last_error"]
            .as_str()
            .unwrap_or_default()
            .to_lowercase();
        assert!(error.contains("certificate"), "{name}: {error}");
    }
}

#[test]
fn plain_http_off_loopback_is_a_fault_unless_it_is_written_out() {
    let upstream = Upstream::start();
    let issuer = Issuer::new("https://auth.example.com");
    let check = |keys: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        let listeners = "[listeners.public]\naddress = \"127.0.0.1:8080\"\n";
        let text = listeners.to_owned() + &config(&upstream, &issuer_table("main", &issuer, keys));
        std::fs::write(&path, text).unwrap();
        let mut check = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        let output = check
            .arg("check")
            .arg("--config")
            .arg(&path)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    let url = "jwks_url = \"http://keys.example.com/jwks\"";
    let (code, told) = check(url);
    assert!(code == Some(1) && told.contains("url_insecure"), "{told}");
    let (code, told) = check(&format!("{url}\ninsecure_http = true"));
    assert_eq!(code, Some(0), "{told}");
}

#[test]
fn a_discovered_address_obeys_the_same_rules() {
    let upstream = Upstream::start();
    let metadata = |issuer: &str, jwks_uri: &str| {
        json!({ "issuer": issuer, "jwks_uri": jwks_uri, "token_endpoint": "https://x.example.com" })
            .to_string()
    };
    let place = "/.well-known/openid-configuration";
    let providers = ["plain", "lies", "good"].map(|_| Provider::start(ProviderAnswer::Silence));
    let issuers = providers
        .each_ref()
        .map(|provider| Issuer::new(&provider.url()));
    // TEST-NET-1 (RFC 5737): nobody answers there, and nobody must ask.
    providers[0].answer(ProviderAnswer::Documents(vec![(
        place,
        metadata(&issuers[0].url, "http://192.0.2.1/jwks"),
    )]));
    providers[1].answer(ProviderAnswer::Documents(vec![
        (
            place,
            metadata(
                "https://somebody.example.com",
                &format!("{}/jwks", issuers[1].url),
            ),
        ),
        ("/jwks", issuers[1].jwks()),
    ]));
    providers[2].answer(ProviderAnswer::Documents(vec![
        (
            "/.well-known/oauth-authorization-server",
            metadata(&issuers[2].url, &format!("{}/jwks", issuers[2].url)),
        ),
        ("/jwks", issuers[2].jwks()),
    ]));
    let keys = format!("discovery = true\nrefresh = {SELDOM}");
    let tables = [("plain", 0), ("lies", 1), ("good", 2)]
        .map(|(name, at)| issuer_table(name, &issuers[at], &keys));
    let gateway = Gateway::start(&config(&upstream, &tables.concat()), &[]);
    let fates = issuers
        .each_ref()
        .map(|issuer| fate(&gateway, &issuer.token(json!({}))));
    assert_eq!(
        fates,
        ["issuer_unavailable", "issuer_unavailable", "passes"]
    );
    for (name, told) in [
        ("plain", "plain http off loopback"),
        ("lies", "the metadata is that of"),
    ] {
        let status = status_of(&gateway, name);
        let error = status["last_error"].as_str().unwrap_or_default();
        assert!(error.contains(told), "{name}: {error}");
    }
}

#[test]
fn headers_of_the_fetch_are_sent_to_the_configured_host_alone() {
    let upstream = Upstream::start();
    let home = Provider::start(ProviderAnswer::Silence);
    let elsewhere = Provider::start(ProviderAnswer::Silence);
    let issuer = Issuer::new(&home.url());
    let metadata = json!({ "issuer": issuer.url, "jwks_uri": format!("{}/jwks", elsewhere.url()) });
    home.answer(ProviderAnswer::Document(metadata.to_string()));
    elsewhere.answer(ProviderAnswer::Document(issuer.jwks()));
    let keys = format!(
        "discovery = true\nrefresh = {SELDOM}\nheaders = {{ X-Api-Key = \"file:api.key\" }}"
    );
    let gateway = Gateway::start(
        &config(&upstream, &issuer_table("main", &issuer, &keys)),
        &[("api.key", "the-key-of-the-fetch\n")],
    );
    assert_eq!(fate(&gateway, &issuer.token(json!({}))), "passes");
    assert!(
        home.heads()[0].contains("x-api-key: the-key-of-the-fetch\r\n"),
        "{:?}",
        home.heads()
    );
    assert!(
        !elsewhere.heads()[0].contains("the-key-of-the-fetch"),
        "{:?}",
        elsewhere.heads()
    );
    assert!(!gateway.diagnostics().contains("the-key-of-the-fetch"));
}
