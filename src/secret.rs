//! Bytes that must not be seen. Knows how to hide, compare and wipe them; does not know where they come from.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Secret bytes: never printed, compared in constant time, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one call that needs them. The name is meant to be grepped for.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes without the line end that editors and `echo` leave behind a secret, in a file and in what a variable is made
    /// of.
    #[must_use]
    pub fn without_line_end(self) -> Self {
        let end = self
            .0
            .iter()
            .rposition(|byte| !matches!(byte, b'\n' | b'\r'))
            .map_or(0, |last| last + 1);
        Self::new(self.0[..end].to_vec())
    }

    /// Whether `presented` is this secret, in time that does not depend on where they differ.
    pub fn matches(&self, presented: &[u8]) -> bool {
        self.0.ct_eq(presented).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_cannot_be_printed() {
        assert_eq!(
            format!("{:?}", Secret::new(b"hunter2".to_vec())),
            "Secret(..)"
        );
    }

    #[test]
    fn the_line_end_of_a_file_is_not_part_of_its_secret() {
        assert!(
            Secret::new(b"hunter2\r\n".to_vec())
                .without_line_end()
                .matches(b"hunter2")
        );
    }
}
