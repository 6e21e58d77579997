//! Signs anything: any header text, any claims text, with any of the keys.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::now;

pub const HMAC_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
pub const KID: &str = "the-same-kid";

/// One signer with its published keys.
pub struct Signer {
    pub jwks: String,
    pub key: Key,
}

pub enum Key {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

pub struct Forge {
    pub rsa: Signer,
    pub other: Signer,
    pub ec: Signer,
    pub ed: Signer,
    /// A key that no issuer has.
    pub stranger: Signer,
}

impl Forge {
    pub fn new() -> Self {
        Self {
            rsa: Signer::rsa(),
            other: Signer::rsa(),
            ec: Signer::ec(),
            ed: Signer::ed(),
            stranger: Signer::rsa(),
        }
    }

    /// One good token of each issuer: the table proves nothing if these do not pass.
    pub fn good_tokens(&self) -> Vec<(&'static str, String)> {
        let header = |alg: &str| json!({ "alg": alg, "typ": "at+jwt", "kid": KID }).to_string();
        vec![
            ("rsa", self.rsa.sign(&header("RS256"), &claims("rsa"))),
            ("other", self.other.sign(&header("RS256"), &claims("other"))),
            ("ec", self.ec.sign(&header("ES256"), &claims("ec"))),
            ("ed", self.ed.sign(&header("EdDSA"), &claims("ed"))),
            (
                "hmac",
                hmac_signed(
                    hmac::HMAC_SHA256,
                    HMAC_SECRET.as_bytes(),
                    &header("HS256"),
                    &claims("hmac"),
                ),
            ),
        ]
    }
}

/// Claims that the gateway accepts from one issuer, as text.
pub fn claims(issuer: &str) -> String {
    claims_value(issuer).to_string()
}

pub fn claims_value(issuer: &str) -> Value {
    json!({
        "iss": format!("https://{issuer}.example.com"), "aud": "https://api.example.com", "sub": "u_1",
        "iat": now(), "exp": now() + 600, "products": ["crm"],
    })
}

pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `header.claims`.
pub fn signing_input(header: &str, claims: &str) -> String {
    format!("{}.{}", encoded(header), encoded(claims))
}

pub fn hmac_signed(
    algorithm: hmac::Algorithm,
    secret: &[u8],
    header: &str,
    claims: &str,
) -> String {
    let input = signing_input(header, claims);
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret), input.as_bytes());
    format!("{input}.{}", encoded(tag))
}

impl Signer {
    fn rsa() -> Self {
        let key = RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let public = key.public_key();
        let jwk = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KID,
            "n": encoded(public.modulus().big_endian_without_leading_zero()),
            "e": encoded(public.exponent().big_endian_without_leading_zero()),
        });
        Self {
            jwks: json!({ "keys": [jwk] }).to_string(),
            key: Key::Rsa(Box::new(key)),
        }
    }

    fn ec() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = key.public_key().as_ref().to_vec();
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": KID,
            "x": encoded(&point[1..33]), "y": encoded(&point[33..]),
        });
        Self {
            jwks: json!({ "keys": [jwk] }).to_string(),
            key: Key::Ec(key),
        }
    }

    fn ed() -> Self {
        let key = Ed25519KeyPair::generate().unwrap();
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": KID, "x": encoded(key.public_key()),
        });
        Self {
            jwks: json!({ "keys": [jwk] }).to_string(),
            key: Key::Ed(key),
        }
    }

    /// Signs exactly these texts.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let input = signing_input(header, claims);
        format!("{input}.{}", encoded(self.signature(input.as_bytes())))
    }

    pub fn signature(&self, input: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Rsa(_) => self.rsa_signature(&RSA_PKCS1_SHA256, input),
            Key::Ec(key) => key
                .sign(&SystemRandom::new(), input)
                .unwrap()
                .as_ref()
                .to_vec(),
            Key::Ed(key) => key.sign(input).as_ref().to_vec(),
        }
    }

    /// Signs with the other RSA padding.
    pub fn sign_pss(&self, header: &str, claims: &str) -> String {
        let input = signing_input(header, claims);
        format!(
            "{input}.{}",
            encoded(self.rsa_signature(&RSA_PSS_SHA256, input.as_bytes()))
        )
    }

    fn rsa_signature(&self, padding: &'static dyn RsaEncoding, input: &[u8]) -> Vec<u8> {
        let Key::Rsa(key) = &self.key else {
            panic!("not an RSA key")
        };
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(padding, &SystemRandom::new(), input, &mut signature)
            .unwrap();
        signature
    }

    /// The public key as an attacker finds it: every form that was ever taken for an HMAC secret.
    pub fn public_forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let Key::Rsa(key) = &self.key else {
            panic!("not an RSA key")
        };
        let der = key.public_key().as_der().unwrap().as_ref().to_vec();
        let base64 = base64::engine::general_purpose::STANDARD.encode(&der);
        let lines: Vec<&str> = base64
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        );
        let jwks: Value = serde_json::from_str(&self.jwks).unwrap();
        vec![
            ("PEM", pem.clone().into_bytes()),
            (
                "PEM without its last line end",
                pem.trim_end().as_bytes().to_vec(),
            ),
            ("PEM behind a space", format!(" {pem}").into_bytes()),
            (
                "PEM with a line end before",
                format!("\n{pem}").into_bytes(),
            ),
            ("PEM with CRLF", pem.replace('\n', "\r\n").into_bytes()),
            ("PEM in one line", pem.replace('\n', "").into_bytes()),
            ("DER", der),
            ("base64 of the DER", base64.into_bytes()),
            ("JWKS", self.jwks.clone().into_bytes()),
            ("JWK", jwks["keys"][0].to_string().into_bytes()),
            ("JWK, pretty", format!("{:#}", jwks["keys"][0]).into_bytes()),
            (
                "modulus",
                jwks["keys"][0]["n"].as_str().unwrap().as_bytes().to_vec(),
            ),
            ("nothing", vec![]),
        ]
    }
}
