//! The thumbprint of a public key (RFC 7638): SHA-256 over its required members in their one order.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Of an RSA key, both numbers without leading zeros.
pub(super) fn rsa(n: &[u8], e: &[u8]) -> Box<str> {
    let (n, e) = (encode(n), encode(e));
    of(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))
}

/// Of a point on the curve `crv`.
pub(super) fn elliptic(crv: &str, x: &[u8], y: &[u8]) -> Box<str> {
    let (x, y) = (encode(x), encode(y));
    of(&format!(
        r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#
    ))
}

/// Of an Ed25519 key (RFC 8037 §2).
pub(super) fn edwards(x: &[u8]) -> Box<str> {
    let x = encode(x);
    of(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#))
}

fn of(canonical: &str) -> Box<str> {
    encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref()).into()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
