//! The line before a chunk, byte by byte (RFC 9112 §7.1): `1*HEXDIG [";" extension] CRLF` and nothing else.

/// Digits of a chunk size: as many as 64 bits have.
const SIZE_DIGITS_MAX: u8 = 16;
/// Bytes of one chunk's extensions.
const EXTENSION_BYTES_MAX: u16 = 256;

/// Why bytes are no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyError(pub &'static str);

/// Where in the line it is.
#[derive(Debug, Clone, Default)]
pub(super) struct ChunkHead {
    size: u64,
    digits: u8,
    extension: u16,
    part: Part,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Size,
    Extension,
    Lf,
}

/// What one byte of the line was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ChunkStep {
    /// Part of size or line end.
    More,
    /// Part of an extension, for the body's account of them.
    Extension,
    /// The end of the line: a chunk of so many bytes follows, or with 0 the trailer section.
    Size(u64),
}

impl ChunkHead {
    /// Takes the next byte.
    ///
    /// # Errors
    /// A byte that has no place here: signs, spaces, `0x`, a bare CR or LF, more digits than a size has.
    pub(super) fn step(&mut self, byte: u8) -> Result<ChunkStep, BodyError> {
        match (self.part, byte) {
            (Part::Size, b'\r' | b';') if self.digits == 0 => {
                Err(BodyError("a chunk without a size"))
            }
            (Part::Size | Part::Extension, b'\r') => {
                self.part = Part::Lf;
                Ok(ChunkStep::More)
            }
            (Part::Size, b';') => {
                self.part = Part::Extension;
                Ok(ChunkStep::Extension)
            }
            (Part::Size, _) => self.digit(byte),
            (Part::Extension, b'\t' | b' '..=b'~' | 0x80..) => {
                self.extension += 1;
                if self.extension > EXTENSION_BYTES_MAX {
                    return Err(BodyError("a chunk extension over its limit"));
                }
                Ok(ChunkStep::Extension)
            }
            (Part::Extension, _) => Err(BodyError("a control character in a chunk extension")),
            (Part::Lf, b'\n') => Ok(ChunkStep::Size(self.size)),
            (Part::Lf, _) => Err(BodyError("CR without LF in a chunk's line")),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<ChunkStep, BodyError> {
        let digit = char::from(byte)
            .to_digit(16)
            .ok_or(BodyError("a chunk size is hexadecimal digits alone"))?;
        if self.digits == SIZE_DIGITS_MAX {
            return Err(BodyError("a chunk size over 64 bits"));
        }
        self.digits += 1;
        self.size = self.size << 4 | u64::from(digit);
        Ok(ChunkStep::More)
    }
}
