//! What ties a request to its answer, its log line and its trace: `X-Request-Id` and W3C Trace Context.

use arrayvec::ArrayString;
use smallvec::SmallVec;

use crate::wire::RequestHead;
use crate::wire::fields;

/// The id of one request, in every answer and every log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(ArrayString<UUID_BYTES>);

impl RequestId {
    /// The client's own, if it is exactly one UUID or ULID; else a new UUID (RFC 9562 §5.4) from `entropy`. A name with `_`
    /// is another field, left out like all of them, though two of one name to an upstream are not one.
    pub fn of(head: &RequestHead<'_>, entropy: u128) -> Self {
        const NAME: &str = "x-request-id";
        let is_spelled_out = |name: &str| name.eq_ignore_ascii_case(NAME);
        let given = fields::single(head.fields, NAME).ok().flatten();
        let given = given
            .filter(|_| head.fields.iter().any(|field| is_spelled_out(field.name)))
            .and_then(|value| std::str::from_utf8(value).ok())
            .filter(|id| is_uuid(id) || is_ulid(id));
        let given = given.and_then(|id| ArrayString::from(id).ok());
        given.map_or_else(|| Self::fresh(entropy), Self)
    }

    /// A new UUID version 4.
    pub fn fresh(entropy: u128) -> Self {
        let bits = (entropy & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let mut text = *b"00000000-0000-0000-0000-000000000000";
        let digits = hex(&bits.to_be_bytes());
        for (to, from) in [
            (0..8, 0),
            (9..13, 8),
            (14..18, 12),
            (19..23, 16),
            (24..36, 20),
        ] {
            let length = to.len();
            text[to].copy_from_slice(&digits.as_flattened()[from..from + length]);
        }
        Self(own(&text))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// 26 characters of Crockford's base 32, the first at most `7`.
fn is_ulid(id: &str) -> bool {
    let in_alphabet = |byte: u8| {
        byte.is_ascii_alphanumeric()
            && !matches!(byte.to_ascii_uppercase(), b'I' | b'L' | b'O' | b'U')
    };
    id.len() == 26 && id.bytes().all(in_alphabet) && matches!(id.as_bytes()[0], b'0'..=b'7')
}

/// W3C Trace Context: the client's, passed on, or a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    parent: ArrayString<PARENT_BYTES>,
    continued: bool,
}

impl TraceContext {
    /// Continues the client's trace if it sent exactly one sound `traceparent`; else begins one from `entropy`.
    pub fn of(head: &RequestHead<'_>, entropy: [u128; 2]) -> Self {
        let given = fields::single(head.fields, "traceparent").ok().flatten();
        let given = given
            .and_then(|value| std::str::from_utf8(value).ok())
            .and_then(parent_of);
        match given {
            Some(parent) => Self {
                parent,
                continued: true,
            },
            None => Self::begun(entropy),
        }
    }

    fn begun([trace, parent]: [u128; 2]) -> Self {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        // Neither id may be all zeroes (Trace Context §3.2.2.3).
        text[3..35].copy_from_slice(hex(&(trace | 1).to_be_bytes()).as_flattened());
        text[36..52].copy_from_slice(hex(&(parent as u64 | 1).to_be_bytes()).as_flattened());
        Self {
            parent: own(&text),
            continued: false,
        }
    }

    /// `traceparent`.
    pub fn parent(&self) -> &str {
        &self.parent
    }

    /// The trace id, 32 hex digits.
    pub fn trace_id(&self) -> &str {
        &self.parent[3..35]
    }

    pub(super) fn put(&self, head: &RequestHead<'_>, put: &mut impl FnMut(&str, &[u8])) {
        put("traceparent", self.parent.as_bytes());
        if self.continued {
            head.values("tracestate")
                .for_each(|state| put("tracestate", state));
        }
    }
}

/// Two lower-case digits for each byte. Every request makes ids, and `format!` takes its time with a `u128`.
fn hex<const N: usize>(bytes: &[u8; N]) -> [[u8; 2]; N] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.map(|byte| {
        [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 0xf)],
        ]
    })
}

fn own<const N: usize>(text: &[u8; N]) -> ArrayString<N> {
    ArrayString::from_byte_string(text).expect("digits and dashes are ASCII")
}

/// A UUID (RFC 9562 §4); a ULID is shorter.
const UUID_BYTES: usize = 36;
/// `traceparent` of version 00 (Trace Context §3.2).
const PARENT_BYTES: usize = 55;

/// Reads `<version>-<32 hex>-<16 hex>-<2 hex>`, lower-case, no id of zeroes (Trace Context §3.2). What a version behind 00
/// says more is left out, and the whole is written as version 00 (§4.3).
fn parent_of(text: &str) -> Option<ArrayString<PARENT_BYTES>> {
    let (known, more) = text.split_at_checked(PARENT_BYTES)?;
    let parts: SmallVec<[&str; 4]> = known.split('-').collect();
    let &[version, trace, parent, flags] = parts.as_slice() else {
        return None;
    };
    let is_hex = |text: &str| {
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |text: &str, length| {
        text.len() == length && is_hex(text) && text.bytes().any(|byte| byte != b'0')
    };
    let is_sound = version.len() == 2
        && is_hex(version)
        && version != "ff"
        && is_id(trace, 32)
        && is_id(parent, 16)
        && is_hex(flags);
    let is_whole = more.is_empty() || (version != "00" && more.starts_with('-'));
    if !(is_sound && is_whole) {
        return None;
    }
    let mut read = ArrayString::from("00").ok()?;
    read.try_push_str(&known[2..]).ok()?;
    Some(read)
}
