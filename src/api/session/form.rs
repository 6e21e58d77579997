//! `application/x-www-form-urlencoded` (URL standard §5.1), read strictly: a parameter that stands twice is a fault
//! (RFC 6749 §3.2), an empty one is absent.

use super::failure::Failure;

/// A decoded form.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Failure> {
        let pairs = body
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty());
        let mut form = Vec::new();
        for pair in pairs {
            if form.len() == PAIRS_MAX {
                return Err(Failure::InvalidRequest("too many parameters"));
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            let decoded = decode(name).zip(decode(value));
            form.push(decoded.ok_or(Failure::InvalidRequest("the form is malformed"))?);
        }
        Ok(Self(form))
    }

    /// The one value of a parameter.
    pub(super) fn find(&self, name: &str) -> Result<Option<&str>, Failure> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            Some(_) => Err(Failure::InvalidRequest("a parameter stands twice")),
            None => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// The one value of a parameter that must be there.
    pub(super) fn require(&self, name: &str) -> Result<&str, Failure> {
        self.find(name)?
            .ok_or_else(|| Failure::Incomplete(format!("the parameter {name} is missing")))
    }
}

/// The one value of a parameter of a form; `None` where it is absent, empty or twice, or the form is malformed.
pub(in crate::api) fn find_in_form(body: &[u8], name: &str) -> Option<String> {
    let form = Form::parse(body).ok()?;
    form.require(name).ok().map(str::to_owned)
}

/// Decodes one name or value. `None` for a broken escape or bytes that are no UTF-8.
pub(super) fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'%' => {
                let (digits, behind) = behind.split_first_chunk::<2>()?;
                let sound = digits.iter().all(u8::is_ascii_hexdigit);
                let digits = std::str::from_utf8(digits).ok().filter(|_| sound)?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = behind;
            }
            b'+' => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

const PAIRS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::{Form, decode};

    #[test]
    fn escapes_are_read_once_and_strictly() {
        assert_eq!(decode(b"a+b%20c%2B").as_deref(), Some("a b c+"));
        for broken in [&b"%"[..], b"%2", b"%zz", b"%+1", b"%ff"] {
            assert_eq!(decode(broken), None);
        }
    }

    #[test]
    fn a_parameter_that_stands_twice_is_a_fault_and_an_empty_one_is_absent() {
        let form = Form::parse(b"a=1&b=&a=2&&c").expect("a form");
        assert!(form.find("a").is_err());
        for absent in ["b", "c", "d"] {
            assert_eq!(form.find(absent).expect("once at most"), None);
        }
    }
}
