//! Names that carry the moment they were given: UUIDv7 (RFC 9562 §5.7). Sessions and tokens are named so, and that moment
//! is what a cutoff is compared with. A name is public; it is no credential.

use std::fmt;

use super::entropy::Entropy;
use crate::time::Timestamp;

/// A UUIDv7: 48 bits of milliseconds, 74 bits of entropy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimedId([u8; 16]);

impl TimedId {
    /// A new name, given at `now`.
    pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x70;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes).given_anew_at(now)
    }

    /// The same entropy under another moment.
    #[must_use]
    pub fn given_anew_at(mut self, now: Timestamp) -> Self {
        self.0[..6].copy_from_slice(&now.as_millis().to_be_bytes()[2..]);
        self
    }

    /// Takes sixteen bytes that are a UUIDv7.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        (bytes[6] >> 4 == 7 && bytes[8] >> 6 == 0b10).then_some(Self(bytes))
    }

    /// Reads the one spelling that [`fmt::Display`] writes: 36 characters, lower-case.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        let mut digits = text.bytes().enumerate().filter_map(|(at, byte)| {
            let dash = matches!(at, 8 | 13 | 18 | 23);
            (!(dash && byte == b'-')).then_some(byte)
        });
        for byte in &mut bytes {
            *byte = nibble(digits.next()?)? << 4 | nibble(digits.next()?)?;
        }
        let whole = text.len() == 36 && digits.next().is_none();
        Self::from_bytes(bytes).filter(|_| whole)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// When the name was given.
    pub fn given_at(&self) -> Timestamp {
        let mut millis = [0; 8];
        millis[2..].copy_from_slice(&self.0[..6]);
        Timestamp::from_millis(u64::from_be_bytes(millis))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for TimedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        // Two digits for each byte; the dashes stand where they are skipped.
        let mut at = 0;
        for (number, byte) in self.0.iter().enumerate() {
            at += usize::from(matches!(number, 4 | 6 | 8 | 10));
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 0xf)];
            at += 2;
        }
        f.write_str(std::str::from_utf8(&text).expect("digits and dashes"))
    }
}

impl fmt::Debug for TimedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::TimedId;
    use crate::session::tests::Counting;
    use crate::time::Timestamp;

    #[test]
    fn an_id_tells_when_it_was_given_and_has_one_spelling() {
        let now = Timestamp::from_millis(0x0192_3456_789a);
        let id = TimedId::new(now, &Counting::default());
        let text = id.to_string();
        assert_eq!(id.given_at(), now);
        assert!(text.starts_with("01923456-789a-7"));
        assert_eq!(TimedId::parse(&text), Some(id));
        for wrong in [
            text.to_uppercase(),
            text.replace('-', ""),
            format!("{text}0"),
            format!("{}4{}", &text[..14], &text[15..]),
            text[..35].to_owned(),
            format!("{}-", &text[..35]),
        ] {
            assert_eq!(TimedId::parse(&wrong), None, "{wrong}");
        }
    }
}
