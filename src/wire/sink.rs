//! Where the fields of a message go, in the words of either protocol.

use memchr::memchr;

/// Takes fields. Whatever takes a name and a value is one.
pub trait FieldSink {
    /// Takes one field.
    fn field(&mut self, name: &str, value: &[u8]);

    /// Takes fields that [`write_field`](super::write::write_field) wrote before, in UTF-8: what is sent often is put
    /// together once.
    fn lines(&mut self, lines: &str) {
        let mut rest = lines;
        while let Some(end) = memchr(b'\r', rest.as_bytes()) {
            let line = &rest[..end];
            let colon = memchr(b':', line.as_bytes()).expect("it was written as a field");
            self.field(&line[..colon], &line.as_bytes()[colon + ": ".len()..]);
            rest = &rest[end + "\r\n".len()..];
        }
    }
}

impl<F: FnMut(&str, &[u8])> FieldSink for F {
    fn field(&mut self, name: &str, value: &[u8]) {
        self(name, value);
    }
}

/// An HTTP/1.1 head in the making (RFC 9112 §5).
pub struct HeadSink<'o>(pub &'o mut Vec<u8>);

impl FieldSink for HeadSink<'_> {
    fn field(&mut self, name: &str, value: &[u8]) {
        super::write::write_field(self.0, name, value);
    }

    fn lines(&mut self, lines: &str) {
        self.0.extend_from_slice(lines.as_bytes());
    }
}
