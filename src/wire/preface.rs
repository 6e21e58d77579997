//! Which protocol does a clear-text connection begin with (RFC 9113 §3.3)? Told from its first bytes; the deadline until
//! they are there is the caller's.

/// What the first bytes of a connection say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preface {
    /// Not the preface of HTTP/2: a request head of HTTP/1, or nothing at all.
    Http1,
    /// The whole preface of HTTP/2.
    Http2,
    /// A beginning of the preface, still too short to tell.
    NeedMore,
}

/// What a client of HTTP/2 sends first (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl Preface {
    /// Looks at all that came so far. Never needs more than 24 bytes, and only one where that is no `P`.
    pub fn of(came: &[u8]) -> Self {
        if came.starts_with(HTTP2_PREFACE) {
            Self::Http2
        } else if HTTP2_PREFACE.starts_with(came) {
            Self::NeedMore
        } else {
            Self::Http1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HTTP2_PREFACE, Preface};

    #[test]
    fn every_beginning_of_the_preface_waits_and_the_whole_is_http2() {
        for length in 0..HTTP2_PREFACE.len() {
            assert_eq!(Preface::of(&HTTP2_PREFACE[..length]), Preface::NeedMore);
        }
        assert_eq!(Preface::of(HTTP2_PREFACE), Preface::Http2);
        assert_eq!(
            Preface::of(&[&HTTP2_PREFACE[..], b"\0"].concat()),
            Preface::Http2
        );
    }

    #[test]
    fn one_other_byte_is_http1() {
        for at in 0..HTTP2_PREFACE.len() {
            let mut other = *HTTP2_PREFACE;
            other[at] ^= 0x20;
            assert_eq!(Preface::of(&other[..=at]), Preface::Http1);
            assert_eq!(Preface::of(&other), Preface::Http1);
        }
        assert_eq!(Preface::of(b"PUT / HTTP/1.1\r\n"), Preface::Http1);
    }
}
