//! Signs tokens: the gate's own access tokens, identity assertions, and test tokens of the command line. Does not know what
//! a token should say.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::jwk;
use super::key::VerificationKey;
use crate::secret::Secret;
use crate::token::compact::encoded_len;
use crate::token::terms::Algorithm;

/// A private key that signs, with the algorithm that its type fixes. Parsed once.
pub struct SigningKey {
    pair: Pair,
    algorithm: Algorithm,
    public_jwk: Value,
    kid: Box<str>,
}

/// The header of what is signed (RFC 7515 §4.1).
#[derive(Serialize)]
struct SignedHeader<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'a str,
}

enum Pair {
    Elliptic(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
}

impl SigningKey {
    /// Reads PKCS#8 PEM: P-256 signs ES256, P-384 ES384, Ed25519 EdDSA, RSA (2048 bits and more) RS256.
    ///
    /// # Errors
    /// A text for the operator.
    pub fn from_pem(pem: &Secret) -> Result<Self, String> {
        let der =
            PrivatePkcs8KeyDer::from_pem_slice(pem.expose()).map_err(|_| NOT_PKCS8.to_owned())?;
        let (pair, algorithm) = Pair::from_pkcs8(der.secret_pkcs8_der())
            .ok_or("not a P-256, P-384, Ed25519 or RSA key (2048 to 8192 bits)")?;
        let mut public_jwk = pair.public_members()?;
        let kid = jwk_key(&public_jwk, algorithm)?
            .thumbprint()
            .ok_or("a public key has a thumbprint")?
            .into();
        public_jwk["kid"] = json!(kid);
        public_jwk["use"] = json!("sig");
        public_jwk["alg"] = json!(algorithm.as_str());
        Ok(Self {
            pair,
            algorithm,
            public_jwk,
            kid,
        })
    }

    /// Makes a new private key in PKCS#8 PEM for ES256, ES384, EdDSA or RS256 (2048 bits). The cryptographic library draws
    /// the entropy itself; this is the one call of the room that is not a function of its arguments.
    ///
    /// # Errors
    /// A text for the operator: another algorithm, or a library without entropy.
    pub fn generate_pem(algorithm: Algorithm) -> Result<Secret, String> {
        let failed = |_| "the library could not make a key".to_owned();
        let der = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|der| Zeroizing::new(der.as_ref().to_vec())),
            Algorithm::Es384 => EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|der| Zeroizing::new(der.as_ref().to_vec())),
            Algorithm::EdDsa => Ed25519KeyPair::generate()
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|der| Zeroizing::new(der.as_ref().to_vec())),
            Algorithm::Rs256 => rsa::KeyPair::generate(rsa::KeySize::Rsa2048)
                .and_then(|pair| AsDer::<Pkcs8V1Der<'_>>::as_der(&pair))
                .map(|der| Zeroizing::new(der.as_ref().to_vec())),
            _ => return Err("keys are made for ES256, ES384, EdDSA and RS256".to_owned()),
        };
        der.map(|der| pem(&der)).map_err(failed)
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's id: its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half as a JWK (RFC 7517 §4), with `kid`, `use` and `alg`.
    pub fn public_jwk(&self) -> Value {
        self.public_jwk.clone()
    }

    /// Signs `claims` (a JSON object) under a header of `alg`, `kid` and `typ`: a compact JWS (RFC 7515 §7.1).
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> String {
        let header = SignedHeader {
            alg: self.algorithm.as_str(),
            kid: &self.kid,
            typ,
        };
        self.sign_text(&json_text(&header), &json_text(claims))
    }

    /// Signs a header and claims that are JSON already.
    pub(in crate::token) fn sign_text(&self, header: &str, claims: &str) -> String {
        let parts = [header.len(), claims.len(), self.pair.signature_len()];
        let len = parts.map(encoded_len).into_iter().sum::<usize>() + 2;
        // It is kept for as long as its token is: no byte more than it needs.
        let mut token = String::with_capacity(len);
        URL_SAFE_NO_PAD.encode_string(header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.pair.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    /// The key that checks what this one signs.
    pub(super) fn verification_key(&self) -> VerificationKey {
        jwk_key(&self.public_jwk, self.algorithm).expect("its public half was read before")
    }
}

/// A private key stays out of logs.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl Pair {
    fn from_pkcs8(der: &[u8]) -> Option<(Self, Algorithm)> {
        let elliptic = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).map(Self::Elliptic);
        if let Ok(pair) = elliptic(&signature::ECDSA_P256_SHA256_FIXED_SIGNING) {
            return Some((pair, Algorithm::Es256));
        }
        if let Ok(pair) = elliptic(&signature::ECDSA_P384_SHA384_FIXED_SIGNING) {
            return Some((pair, Algorithm::Es384));
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
            return Some((Self::Edwards(pair), Algorithm::EdDsa));
        }
        let pair = rsa::KeyPair::from_pkcs8(der).ok()?;
        Some((Self::Rsa(pair), Algorithm::Rs256))
    }

    /// The members that RFC 7638 §3.2 requires of a public key.
    fn public_members(&self) -> Result<Value, String> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(match self {
            Self::Elliptic(pair) => {
                let coordinates = &pair.public_key().as_ref()[1..];
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                let crv = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": crv, "x": encode(x), "y": encode(y)})
            }
            Self::Edwards(pair) => {
                let x = encode(pair.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x})
            }
            Self::Rsa(pair) => {
                let (n, e) = rsa_numbers(pair.public_key().as_ref())
                    .ok_or("not a public key of RFC 8017 §A.1.1")?;
                json!({"kty": "RSA", "n": encode(n), "e": encode(e)})
            }
        })
    }

    /// The bytes of every signature (RFC 7518 §3.3 and §3.4, RFC 8032 §5.1.6).
    fn signature_len(&self) -> usize {
        match self {
            Self::Elliptic(pair) => pair.public_key().as_ref().len() - 1,
            Self::Edwards(_) => 64,
            Self::Rsa(pair) => pair.public_modulus_len(),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        // The library ignores the source of randomness that it is handed, and draws its own.
        let random = SystemRandom::new();
        match self {
            Self::Elliptic(pair) => pair
                .sign(&random, message)
                .expect("a parsed key signs")
                .as_ref()
                .to_vec(),
            Self::Edwards(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &signature::RSA_PKCS1_SHA256,
                    &random,
                    message,
                    &mut signature,
                )
                .expect("a parsed key signs");
                signature
            }
        }
    }
}

fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("claims and headers have texts for names")
}

/// Reads back a public JWK of ours, with every check that a stranger's key gets.
fn jwk_key(public_jwk: &Value, algorithm: Algorithm) -> Result<VerificationKey, String> {
    let reading = jwk::read(public_jwk.to_string().as_bytes(), &[algorithm]);
    let key = reading.keys.into_iter().next();
    key.ok_or_else(|| reading.warning.unwrap_or_default())
}

/// Modulus and exponent of a DER `RSAPublicKey` (RFC 8017 §A.1.1), without leading zeros.
fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = der_value(der, 0x30)?;
    let (n, rest) = der_value(sequence, 0x02)?;
    let (e, _) = der_value(rest, 0x02)?;
    let positive = |number| <[u8]>::strip_prefix(number, &[0]).unwrap_or(number);
    Some((positive(n), positive(e)))
}

/// The content of the DER value with this tag at the front of `der` (X.690 §8.1), and what follows it.
fn der_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let len = digits
                .iter()
                .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
            (len, rest)
        }
        _ => return None,
    };
    (*found == tag).then_some(())?;
    rest.split_at_checked(len)
}

/// RFC 7468 §10.
fn pem(der: &[u8]) -> Secret {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    // Large enough from the start: a buffer that grows leaves copies of the key behind.
    let mut text = Vec::with_capacity(2 * encoded.len() + 128);
    text.extend_from_slice(b"-----BEGIN PRIVATE KEY-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(b"-----END PRIVATE KEY-----\n");
    Secret::new(text)
}

const NOT_PKCS8: &str = "not a private key in PKCS#8 PEM (`BEGIN PRIVATE KEY`); \
    `openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW` makes one of another";
