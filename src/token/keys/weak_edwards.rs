//! Ed25519 public keys under which signatures can be made without a private key. Knows the points by their encoding.

/// Whether a public key (RFC 8032 §5.1.2) is a point of small order, or is not spelled as RFC 8032 §5.1.3 asks for. A few
/// times such a point is nothing at all, so that one signature holds for many messages, in the worst case for every one.
pub(super) fn is_weak(key: &[u8]) -> bool {
    let mut y: Vec<u8> = key.iter().rev().copied().collect();
    if let Some(first) = y.first_mut() {
        *first &= 0x7f;
    }
    y[..] >= MODULUS_MINUS_ONE[..] || SMALL_ORDER.iter().any(|small| y[..] == small[..])
}

/// 2²⁵⁵ − 20, big-endian: a point of order two, and the last y that is smaller than the modulus.
const MODULUS_MINUS_ONE: [u8; 32] = {
    let mut number = [0xff; 32];
    number[0] = 0x7f;
    number[31] = 0xec;
    number
};

/// The other y, big-endian, of points whose order divides eight.
const SMALL_ORDER: [[u8; 32]; 4] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[31] = 1;
        one
    },
    [
        0x05, 0xfc, 0x53, 0x6d, 0x88, 0x02, 0x38, 0xb1, 0x39, 0x33, 0xc6, 0xd3, 0x05, 0xac, 0xdf,
        0xd5, 0xf0, 0x98, 0xef, 0xf2, 0x89, 0xf4, 0xc3, 0x45, 0xb0, 0x27, 0xb2, 0xc2, 0x8f, 0x95,
        0xe8, 0x26,
    ],
    [
        0x7a, 0x03, 0xac, 0x92, 0x77, 0xfd, 0xc7, 0x4e, 0xc6, 0xcc, 0x39, 0x2c, 0xfa, 0x53, 0x20,
        0x2a, 0x0f, 0x67, 0x10, 0x0d, 0x76, 0x0b, 0x3c, 0xba, 0x4f, 0xd8, 0x4d, 0x3d, 0x70, 0x6a,
        0x17, 0xc7,
    ],
];
