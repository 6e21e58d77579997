//! One JWK (RFC 7517 §4) → keys that can be used, each with one algorithm. Knows which keys are sound; does not know which
//! tokens they will meet.

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};

use super::key::VerificationKey;
use super::{thumbprint, weak_edwards, weak_rsa};
use crate::token::compact;
use crate::token::json::{Json, Object};
use crate::token::terms::Algorithm;

/// What one member of `keys` is good for.
#[derive(Debug, Default)]
pub(super) struct JwkReading {
    /// For the operator: ` ("kid")`, or nothing where there is none to show.
    pub(super) label: String,
    /// The key under each algorithm that it is pinned to: one, unless an RSA key leaves its algorithm open.
    pub(super) keys: Vec<VerificationKey>,
    /// For the operator: why it is skipped, or what is odd about it.
    pub(super) warning: Option<String>,
}

/// Reads one JWK. `algorithms` are the only ones that the issuer may use.
pub(super) fn read(jwk: &[u8], algorithms: &[Algorithm]) -> JwkReading {
    let jwk = match Object::parse(jwk) {
        Ok(jwk) => jwk,
        Err(error) => {
            return JwkReading {
                warning: Some(format!("skipped: not one strict JSON object: {error}")),
                ..JwkReading::default()
            };
        }
    };
    if is_for_something_else(&jwk) {
        return JwkReading::default();
    }
    let (keys, warning) = match keys(&jwk, algorithms) {
        Ok(keys) => (keys, None),
        Err(why) => (Vec::new(), Some(format!("skipped: {why}"))),
    };
    JwkReading {
        label: label(&jwk),
        keys,
        warning,
    }
}

fn label(jwk: &Object<'_>) -> String {
    let Some(kid) = jwk.find("kid").and_then(Json::as_text) else {
        return String::new();
    };
    let shown: String = kid.chars().take(KID_CHARS_SHOWN).collect();
    format!(" ({shown:?})")
}

/// A key for encryption, or one that may not verify (RFC 7517 §4.2, §4.3): nothing odd, nothing for us.
fn is_for_something_else(jwk: &Object<'_>) -> bool {
    let other_use = jwk
        .find("use")
        .is_some_and(|usage| usage.as_text() != Some("sig"));
    let other_operations = match jwk.find("key_ops") {
        None => false,
        Some(Json::List(operations)) => !operations
            .iter()
            .any(|operation| operation.as_text() == Some("verify")),
        Some(_) => true,
    };
    other_use || other_operations
}

fn keys(jwk: &Object<'_>, algorithms: &[Algorithm]) -> Result<Vec<VerificationKey>, String> {
    let kid = match jwk.find("kid") {
        None => None,
        Some(Json::Text(kid)) if kid.len() <= KID_BYTES_MAX => Some(kid.as_ref()),
        Some(_) => return Err("`kid` is not a text, or too long".to_owned()),
    };
    if PRIVATE.iter().any(|name| jwk.find(name).is_some()) {
        return Err("it is a private key: whoever reads it here can sign".to_owned());
    }
    let pinned = pin(jwk, algorithms)?;
    match text(jwk, "kty")? {
        "RSA" => rsa(jwk, kid, &pinned),
        "EC" => elliptic(jwk, kid, &pinned),
        _ => edwards(jwk, kid, &pinned),
    }
}

/// The algorithms that the key's type, curve, `alg` and the configuration leave.
fn pin(jwk: &Object<'_>, algorithms: &[Algorithm]) -> Result<Vec<Algorithm>, String> {
    let possible = possible_algorithms(jwk)?;
    let stated = match jwk.find("alg") {
        None => None,
        Some(alg) => Some(stated_algorithm(alg, possible)?),
    };
    let pinned: Vec<Algorithm> = possible
        .iter()
        .copied()
        .filter(|possible| stated.is_none_or(|stated| stated == *possible))
        .filter(|possible| algorithms.contains(possible))
        .collect();
    if pinned.is_empty() {
        return Err("its algorithm is not one of the issuer's `algorithms`".to_owned());
    }
    Ok(pinned)
}

fn possible_algorithms(jwk: &Object<'_>) -> Result<&'static [Algorithm], String> {
    match text(jwk, "kty")? {
        "RSA" => Ok(&RSA_ALGORITHMS),
        "EC" => match text(jwk, "crv")? {
            "P-256" => Ok(&[Algorithm::Es256]),
            "P-384" => Ok(&[Algorithm::Es384]),
            _ => Err("its curve is not P-256 or P-384".to_owned()),
        },
        "OKP" => match text(jwk, "crv")? {
            "Ed25519" => Ok(&[Algorithm::EdDsa]),
            _ => Err("its curve is not Ed25519".to_owned()),
        },
        "oct" => Err("a shared secret has no place in a published key set".to_owned()),
        _ => Err("its `kty` is not RSA, EC or OKP".to_owned()),
    }
}

fn stated_algorithm(alg: &Json<'_>, possible: &[Algorithm]) -> Result<Algorithm, String> {
    let name = match alg.as_text() {
        // The fully specified name of what RFC 8037 calls EdDSA (RFC 9864 §2.2).
        Some("Ed25519") => "EdDSA",
        Some(name) => name,
        None => return Err("`alg` is not a text".to_owned()),
    };
    Algorithm::from_name(name)
        .filter(|stated| possible.contains(stated))
        .ok_or_else(|| "its `alg` does not fit its type".to_owned())
}

/// RSA (RFC 7518 §6.3): 2048 to 8192 bits, an odd public exponent from 3 up to 32 bits.
fn rsa(
    jwk: &Object<'_>,
    kid: Option<&str>,
    pinned: &[Algorithm],
) -> Result<Vec<VerificationKey>, String> {
    let n = number(jwk, "n")?;
    let e = number(jwk, "e")?;
    let bits = n.len() * 8 - n[0].leading_zeros() as usize;
    if !RSA_BITS.contains(&bits) {
        return Err(format!("an RSA modulus of {bits} bits, not 2048 to 8192"));
    }
    if n.last().is_none_or(|last| last % 2 == 0) {
        return Err("an RSA modulus that is even".to_owned());
    }
    let exponent = e
        .iter()
        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    if e.len() > 4 || exponent < 3 || exponent % 2 == 0 {
        return Err("an RSA exponent that nobody should use".to_owned());
    }
    if weak_rsa::is_roca(&n) {
        return Err(
            "an RSA key of a generator whose keys can be factored (CVE-2017-15361)".to_owned(),
        );
    }
    let components = RsaPublicKeyComponents { n: &n, e: &e };
    pinned
        .iter()
        .filter_map(|algorithm| Some((*algorithm, rsa_parameters(*algorithm)?)))
        .map(|(algorithm, parameters)| {
            let key = components
                .to_parsed_public_key(parameters)
                .map_err(|_| "not a sound RSA key".to_owned())?;
            let thumbprint = thumbprint::rsa(&n, &e);
            Ok(VerificationKey::public(
                kid,
                algorithm,
                key,
                n.len(),
                thumbprint,
            ))
        })
        .collect()
}

/// EC (RFC 7518 §6.2): the point must lie on its curve, which parsing checks.
fn elliptic(
    jwk: &Object<'_>,
    kid: Option<&str>,
    pinned: &[Algorithm],
) -> Result<Vec<VerificationKey>, String> {
    let (crv, bytes, verification) = match pinned.first() {
        Some(Algorithm::Es256) => ("P-256", 32, &signature::ECDSA_P256_SHA256_FIXED),
        Some(Algorithm::Es384) => ("P-384", 48, &signature::ECDSA_P384_SHA384_FIXED),
        _ => return Err("its curve is not P-256 or P-384".to_owned()),
    };
    let x = exactly(jwk, "x", bytes)?;
    let y = exactly(jwk, "y", bytes)?;
    let point = [&[UNCOMPRESSED], &x[..], &y[..]].concat();
    let key = ParsedPublicKey::new(verification, point)
        .map_err(|_| "its point is not on the curve".to_owned())?;
    Ok(vec![VerificationKey::public(
        kid,
        pinned[0],
        key,
        2 * bytes,
        thumbprint::elliptic(crv, &x, &y),
    )])
}

/// OKP with Ed25519 (RFC 8037 §2).
fn edwards(
    jwk: &Object<'_>,
    kid: Option<&str>,
    pinned: &[Algorithm],
) -> Result<Vec<VerificationKey>, String> {
    let x = exactly(jwk, "x", 32)?;
    if weak_edwards::is_weak(&x) {
        return Err("an Ed25519 key whose signatures anybody can make".to_owned());
    }
    let key = ParsedPublicKey::new(&signature::ED25519, &x)
        .map_err(|_| "not a sound Ed25519 key".to_owned())?;
    Ok(vec![VerificationKey::public(
        kid,
        pinned[0],
        key,
        64,
        thumbprint::edwards(&x),
    )])
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

fn text<'k>(jwk: &'k Object<'_>, name: &str) -> Result<&'k str, String> {
    jwk.find(name)
        .and_then(Json::as_text)
        .ok_or_else(|| format!("`{name}` is not a text"))
}

fn bytes(jwk: &Object<'_>, name: &str) -> Result<Vec<u8>, String> {
    compact::decode(text(jwk, name)?).map_err(|_| format!("`{name}` is not strict base64url"))
}

/// Exactly `len` bytes: coordinates keep their leading zeros (RFC 7518 §6.2.1.2).
fn exactly(jwk: &Object<'_>, name: &str, len: usize) -> Result<Vec<u8>, String> {
    bytes(jwk, name).and_then(|bytes| {
        (bytes.len() == len)
            .then_some(bytes)
            .ok_or_else(|| format!("`{name}` is not {len} bytes long"))
    })
}

/// A positive number without the leading zeros that some providers leave in (RFC 7518 §2, Base64urlUInt).
fn number(jwk: &Object<'_>, name: &str) -> Result<Vec<u8>, String> {
    let mut bytes = bytes(jwk, name)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    if bytes.is_empty() {
        return Err(format!("`{name}` is no positive number"));
    }
    Ok(bytes)
}

/// The members of private keys (RFC 7518 §6.2.2, §6.3.2; RFC 8037 §2).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

const RSA_ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

/// RFC 7518 §3.3 asks for 2048 and more; beyond 8192 a verification costs more than a request should.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The longest `kid` of a key that is used, in bytes.
const KID_BYTES_MAX: usize = 1024;

/// How much of a `kid` an operator is shown.
const KID_CHARS_SHOWN: usize = 64;

/// The first byte of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
