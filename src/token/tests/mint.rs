//! Signing keys: which files are read, and that others can check what they sign.

use base64::Engine;
use serde_json::json;

use super::issuer::good_claims;
use crate::secret::Secret;
use crate::token::{Algorithm, SigningKey};

#[test]
fn keys_that_openssl_made_are_read() {
    for (pem, algorithm) in [
        (
            include_str!("../../../tests/data/keys/p256.pem"),
            Algorithm::Es256,
        ),
        (
            include_str!("../../../tests/data/keys/p384.pem"),
            Algorithm::Es384,
        ),
        (
            include_str!("../../../tests/data/keys/ed25519.pem"),
            Algorithm::EdDsa,
        ),
        (
            include_str!("../../../tests/data/keys/rsa2048.pem"),
            Algorithm::Rs256,
        ),
    ] {
        let key = SigningKey::from_pem(&Secret::new(pem.into())).unwrap();
        assert_eq!(key.algorithm(), algorithm);
    }
}

#[test]
fn an_ed25519_key_is_read_with_its_public_half_beside_it() {
    use aws_lc_rs::signature::Ed25519KeyPair;
    let pair = Ed25519KeyPair::generate().unwrap();
    let (with, without) = (pair.to_pkcs8().unwrap(), pair.to_pkcs8v1().unwrap());
    assert_ne!(with.as_ref().len(), without.as_ref().len());
    let kid = |der: &[u8]| {
        let base64 = base64::engine::general_purpose::STANDARD.encode(der);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
        let key = SigningKey::from_pem(&Secret::new(pem.into())).unwrap();
        key.kid().to_owned()
    };
    assert_eq!(kid(with.as_ref()), kid(without.as_ref()));
}

#[test]
fn keys_that_nobody_should_sign_with_are_refused() {
    for pem in [
        "",
        "not PEM",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        include_str!("../../../tests/data/keys/rsa1024.pem"),
        include_str!("../../../tests/data/keys/p521.pem"),
        include_str!("../../../tests/data/keys/p256_sec1.pem"),
    ] {
        assert!(
            SigningKey::from_pem(&Secret::new(pem.into())).is_err(),
            "{pem}"
        );
    }
    for algorithm in [Algorithm::Hs256, Algorithm::Ps256, Algorithm::Rs512] {
        assert!(SigningKey::generate_pem(algorithm).is_err());
    }
}

#[test]
fn a_generated_key_reads_back_as_the_same_key() {
    let pem = SigningKey::generate_pem(Algorithm::EdDsa).unwrap();
    let text = std::str::from_utf8(pem.expose()).unwrap();
    assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(text.ends_with("\n-----END PRIVATE KEY-----\n"));
    let key = SigningKey::from_pem(&pem).unwrap();
    assert_eq!(key.kid(), SigningKey::from_pem(&pem).unwrap().kid());
    let jwk = key.public_jwk();
    assert_eq!(jwk["kid"], json!(key.kid()));
    assert_eq!(jwk["use"], json!("sig"));
    assert_eq!(jwk["alg"], json!("EdDSA"));
    assert!(jwk.get("d").is_none());
}

#[test]
fn another_library_verifies_what_is_signed() {
    for algorithm in [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
        Algorithm::Rs256,
    ] {
        let pem = SigningKey::generate_pem(algorithm).unwrap();
        let key = SigningKey::from_pem(&pem).unwrap();
        let token = key.sign("at+jwt", &good_claims());
        let jwk = serde_json::from_value::<jsonwebtoken::jwk::Jwk>(key.public_jwk()).unwrap();
        let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let (signing_input, signature) = token.rsplit_once('.').unwrap();
        let name = algorithm.as_str().parse().unwrap();
        let holds =
            jsonwebtoken::crypto::verify(signature, signing_input.as_bytes(), &decoding, name);
        assert!(holds.unwrap(), "{algorithm:?}");
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header.kid.as_deref(), Some(key.kid()));
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    }
}
