//! What the identity service says: read strictly, and checked for what no token may say.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_ENCODING;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::{Map, Value, json};

use crate::api::object;
use crate::principal::Entitlements;
use crate::session::Grant;
use crate::token::{NESTED_MAX, is_carried_whole};

/// A 200 of either hook.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    pub(super) subject: Option<String>,
    products: Option<Vec<String>>,
    scope: Option<String>,
    /// `Some(None)`: `null`, there is none.
    #[serde(default, deserialize_with = "present")]
    tenant: Option<Option<String>>,
    #[serde(default, deserialize_with = "object::each_once")]
    claims: Option<Map<String, Value>>,
    acr: Option<String>,
    amr: Option<Vec<String>>,
    auth_time: Option<u64>,
    claims_version: Option<String>,
    /// Seconds, as is the next one: a session that is over at its start would be a login that is none.
    idle_ttl: Option<NonZeroU64>,
    absolute_ttl: Option<NonZeroU64>,
    pub(super) refresh_handle: Option<String>,
}

/// Why an answer cannot be used. What is wrong with it is the operator's to read, and never says what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is not the JSON that was agreed on.
    Malformed(Cow<'static, str>),
    /// It says what the gate alone may say, more than fits into a token, or what nobody would read in one.
    Overreaching(Cow<'static, str>),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) | Self::Overreaching(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Unusable {}

impl Said {
    /// Reads an answer. What it says is not yet checked.
    ///
    /// # Errors
    /// [`Unusable::Malformed`].
    pub(super) fn parse(answer: &Response<Bytes>) -> Result<Self, Unusable> {
        object::read(answer.body()).map_err(|error| {
            let what = wrapping(answer).map_or_else(|| place(&error).into(), Cow::Borrowed);
            Unusable::Malformed(what)
        })
    }

    /// Checks that tokens can say it.
    ///
    /// # Errors
    /// [`Unusable::Overreaching`].
    pub(super) fn check(&self) -> Result<(), Unusable> {
        let reserved = |name: &&str| self.claim(name).is_some();
        if let Some(name) = Grant::RESERVED.into_iter().find(reserved) {
            let what = format!("`claims.{name}` is the gate's alone to say");
            return Err(Unusable::Overreaching(what.into()));
        }
        match self.illegible() {
            None => Ok(()),
            Some(what) => Err(Unusable::Overreaching(what.into())),
        }
    }

    /// Of whom it speaks: a name that tokens can carry.
    ///
    /// # Errors
    /// [`Unusable::Malformed`] when it speaks of nobody, [`Unusable::Overreaching`] for a name that no token carries.
    pub(super) fn named(&self) -> Result<&str, Unusable> {
        let subject = self.subject.as_deref().filter(|named| !named.is_empty());
        let subject = subject.ok_or(Unusable::Malformed("no `subject`".into()))?;
        if subject.len() <= SUBJECT_BYTES_MAX && is_carried_whole(subject) {
            return Ok(subject);
        }
        let what = "`subject` is over 255 bytes, or has a control character or a space at its edge";
        Err(Unusable::Overreaching(what.into()))
    }

    /// What the gate would not accept in a token.
    fn illegible(&self) -> Option<&'static str> {
        let is_text = |claim: &Value| claim.as_str().is_some_and(is_carried_whole);
        let is_tenant = |claim: &Value| is_text(claim) || claim.is_u64();
        let scope = self.scope.as_deref().unwrap_or_default();
        let tenant = self.tenant.as_ref().and_then(Option::as_deref);
        let tenant = tenant.unwrap_or_default();
        let mut claims = self.claims.iter().flat_map(|claims| claims.values());
        let products = self.products.iter().flatten().map(String::as_str);
        let products = Entitlements::from_names(products);
        [
            (
                products.has_unsound(),
                "an element of `products` is no product's name",
            ),
            (
                claims.any(|claim| depth(claim) >= NESTED_MAX.into()),
                "`claims` nest too deep",
            ),
            (
                self.claims.iter().flat_map(Map::values).any(is_wide),
                "a number in `claims` is over 64 bits",
            ),
            (
                scope.contains(char::is_control),
                "`scope` has a control character",
            ),
            (
                !is_carried_whole(tenant),
                "`tenant` has a control character or a space at its edge",
            ),
            (
                !self.claim("tenant").is_none_or(is_tenant),
                "`claims.tenant` is neither a whole number nor a text that a header carries",
            ),
            (
                !self.claim("azp").is_none_or(is_text),
                "`claims.azp` is no text that a header carries",
            ),
        ]
        .into_iter()
        .find_map(|(is_so, what)| is_so.then_some(what))
    }

    fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.get(name)
    }

    /// The grant of a login.
    pub(super) fn grant(&self) -> Grant {
        self.renew(&Grant::default())
    }

    /// The grant of a refresh. What is not named stays, but products that are not named are gone (an empty list is often
    /// left out, or written as `null`), and so is a tenant that is `null`: whoever left it shall not stay in.
    pub(super) fn renew(&self, before: &Grant) -> Grant {
        let mut before = before.clone();
        if self.tenant == Some(None) {
            // It may have come among the claims.
            before.claims.remove("tenant");
        }
        let scope = self.scope.clone().unwrap_or_else(|| before.scope.clone());
        let changed = (scope != before.scope && !before.scope.is_empty()).then_some(before.scope);
        Grant {
            products: self.products.clone().unwrap_or_default(),
            scope,
            scope_at_first: before.scope_at_first.or(changed),
            tenant: self.tenant.clone().unwrap_or(before.tenant),
            auth_time: self.auth_time.or(before.auth_time),
            acr: self.acr.clone().or(before.acr),
            amr: self.amr.clone().unwrap_or(before.amr),
            claims_version: self.claims_version.clone().or(before.claims_version),
            claims: self.claims.clone().unwrap_or(before.claims),
        }
    }

    /// The lifetimes of a session, never longer than the operator's.
    pub(super) fn shorten(&self, idle: Duration, absolute: Duration) -> (Duration, Duration) {
        let shorter = |secs: Option<NonZeroU64>, terms: Duration| {
            secs.map_or(terms, |secs| terms.min(Duration::from_secs(secs.get())))
        };
        (
            shorter(self.idle_ttl, idle),
            shorter(self.absolute_ttl, absolute),
        )
    }
}

/// Checks that a token of `subject` with all of the grant is short enough for the gate itself, whoever said which part when.
///
/// # Errors
/// [`Unusable::Overreaching`].
pub(super) fn check_size(subject: &str, grant: &Grant) -> Result<(), Unusable> {
    let size = |told: Value| told.to_string().len();
    let claims = size(json!([grant.claims, grant.products]));
    let rest = size(json!([
        subject,
        grant.scope,
        grant.tenant,
        grant.acr,
        grant.amr
    ]));
    let what = match (
        claims > CLAIMS_BYTES_MAX + PUNCTUATION,
        rest > REST_BYTES_MAX + PUNCTUATION,
    ) {
        (true, _) => "`claims` and `products` are over 4 KiB, what stays of them included",
        (_, true) => "the subject, `scope`, `tenant`, `acr` and `amr` are over 1 KiB",
        (false, false) => return Ok(()),
    };
    Err(Unusable::Overreaching(what.into()))
}

/// What makes JSON unreadable that may be in order inside.
fn wrapping(answer: &Response<Bytes>) -> Option<&'static str> {
    if answer.headers().contains_key(CONTENT_ENCODING) {
        return Some("it has a content coding, which nobody asked for");
    }
    let has_mark = answer.body().starts_with("\u{feff}".as_bytes());
    has_mark.then_some("it begins with a byte order mark")
}

/// Where a document is not what was agreed on. The parser's own text would say what stands there.
fn place(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => "a member has the wrong type or stands twice",
        Category::Eof => "the JSON ends too early",
        Category::Syntax | Category::Io => "it is no JSON",
    };
    format!("{what}, line {} column {}", error.line(), error.column())
}

/// How deep lists and objects nest.
fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or_default()
}

/// Whether it has a number that 64 bits do not hold as it was written; the parser rounds such a one.
fn is_wide(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_wide),
        Value::Object(members) => members.values().any(is_wide),
        Value::Number(number) => {
            number.is_f64()
                && number
                    .as_f64()
                    .is_some_and(|number| number.abs() >= 2_f64.powi(63))
        }
        _ => false,
    }
}

/// Reads what is there, so that `null` is told from nothing.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

const SUBJECT_BYTES_MAX: usize = 255;
/// Half of what a token may weigh.
const CLAIMS_BYTES_MAX: usize = 4 * 1024;
/// Subject, scope, tenant and how the user logged in.
const REST_BYTES_MAX: usize = 1024;
/// Brackets and commas between what is measured.
const PUNCTUATION: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_say_each_thing_once_and_as_it_was_written() {
        let told = |claims: &str| {
            let answer = format!(r#"{{"subject":"u_1","claims":{claims}}}"#);
            let said = Said::parse(&Response::new(answer.into()));
            said.and_then(|said| said.check().map(|()| said.claims))
        };
        let twice = |at: usize| {
            let what = format!("a member has the wrong type or stands twice, line 1 column {at}");
            Err(Unusable::Malformed(what.into()))
        };
        assert_eq!(told(r#"{"a":1,"a":2}"#), twice(39));
        assert_eq!(told(r#"{"a":[{"b":1,"\u0062":2}]}"#), twice(50));
        let wide = Err(Unusable::Overreaching(
            "a number in `claims` is over 64 bits".into(),
        ));
        assert_eq!(told(r#"{"a":[18446744073709551616]}"#), wide);
        assert_eq!(told(r#"{"a":{"b":-9223372036854775809}}"#), wide);
        let sound = r#"{"a":18446744073709551615,"b":[-9223372036854775808,1.5,null,true,"x"],"c":{"d":{}}}"#;
        let held = told(sound).unwrap().map(Value::Object);
        assert_eq!(held, serde_json::from_str(sound).ok());
        assert_eq!(told("null"), Ok(None));
    }

    #[test]
    fn what_wraps_an_answer_is_told_before_the_place_where_it_is_no_json() {
        let told = |coding: Option<&str>, body: &'static [u8]| {
            let mut answer = Response::new(Bytes::from_static(body));
            if let Some(coding) = coding {
                let coding = coding.parse().unwrap();
                answer.headers_mut().insert(CONTENT_ENCODING, coding);
            }
            Said::parse(&answer)
                .map_err(|fault| fault.to_string())
                .err()
        };
        let coded = "it has a content coding, which nobody asked for";
        assert_eq!(told(Some("gzip"), b"\x1f\x8b").as_deref(), Some(coded));
        assert_eq!(told(Some("identity"), b"{}"), None);
        let marked = "it begins with a byte order mark";
        assert_eq!(told(None, b"\xef\xbb\xbf{}").as_deref(), Some(marked));
        let no_json = "it is no JSON, line 2 column 1";
        assert_eq!(told(None, b"\n<html>").as_deref(), Some(no_json));
    }
}
