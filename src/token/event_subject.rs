//! Whom an event is about: `sub` and `sid`, or a subject identifier (RFC 9493; complex ones by OpenID SSF 1.0 §3.2).

use super::failure::TokenError;
use super::json::{Json, Object};
use super::terms::IssuerTerms;
use super::text::text;

/// What an event names, of the issuer that tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A session (`sid`).
    Session(Box<str>),
    /// A subject (`sub`).
    Subject(Box<str>),
}

/// A session, a subject or both.
#[derive(Debug)]
pub(super) struct EventSubject {
    one: Named,
    /// The subject behind a session.
    behind: Option<Box<str>>,
}

impl EventSubject {
    fn of(session: Option<&str>, subject: Option<&str>) -> Result<Self, TokenError> {
        let subject = subject.map(Into::into);
        let (one, behind) = match (session, subject) {
            (Some(session), behind) => (Named::Session(session.into()), behind),
            (None, Some(subject)) => (Named::Subject(subject), None),
            (None, None) => {
                return Err(TokenError::ClaimInvalid("neither a session nor a subject"));
            }
        };
        Ok(Self { one, behind })
    }

    /// The session where one is named, the subject otherwise.
    pub(super) fn session_first(self) -> Named {
        self.one
    }

    /// The subject where one is named, the session otherwise.
    pub(super) fn subject_first(self) -> Named {
        self.behind.map_or(self.one, Named::Subject)
    }
}

/// Reads `sub` and `sid`. An empty one names nobody: taken for none, one session would become all of a subject's.
///
/// # Errors
/// [`TokenError::ClaimInvalid`] when neither is there or one is not a sound text.
pub(super) fn plain(claims: &Object<'_>) -> Result<EventSubject, TokenError> {
    let name = |claim: &str, detail| match text(claims, claim, detail)? {
        None if claims.find(claim).is_some() => Err(TokenError::ClaimInvalid(detail)),
        name => Ok(name),
    };
    EventSubject::of(
        name("sid", "`sid` is not a sound text")?,
        name("sub", "`sub` is not a sound text")?,
    )
}

/// Reads `sub_id`; without one the `subject` of the event, as the drafts of SSF and CAEP had it and transmitters still
/// send it; without either `sub` and `sid`.
///
/// # Errors
/// [`TokenError::ClaimInvalid`] when nobody is named that the issuer may speak of.
pub(super) fn find(
    claims: &Object<'_>,
    event: &Object<'_>,
    terms: &IssuerTerms,
) -> Result<EventSubject, TokenError> {
    match claims.find("sub_id").or_else(|| event.find("subject")) {
        None => plain(claims),
        Some(Json::Object(id)) => match format(id) {
            Some("iss_sub") => EventSubject::of(None, Some(of_issuer(id, terms)?)),
            Some("opaque") => EventSubject::of(Some(opaque(id)?), None),
            Some("complex") => complex(id, terms),
            _ => Err(UNKNOWN_FORMAT),
        },
        Some(_) => Err(TokenError::ClaimInvalid("`sub_id` is not an object")),
    }
}

/// All members name one subject together. A session is enough without its user, whatever names the user; a user without the
/// session would be more than was meant.
fn complex(id: &Object<'_>, terms: &IssuerTerms) -> Result<EventSubject, TokenError> {
    let session = member(id, "session")?;
    let session = session.map(|session| match format(session) {
        Some("opaque") => opaque(session),
        _ => Err(UNKNOWN_FORMAT),
    });
    let session = session.transpose()?;
    let user = member(id, "user")?;
    let user = user.and_then(|user| match format(user) {
        Some("iss_sub") => Some(of_issuer(user, terms)),
        Some("opaque") => Some(opaque(user)),
        _ if session.is_some() => None,
        _ => Some(Err(UNKNOWN_FORMAT)),
    });
    EventSubject::of(session, user.transpose()?)
}

fn member<'o, 'd>(id: &'o Object<'d>, name: &str) -> Result<Option<&'o Object<'d>>, TokenError> {
    match id.find(name) {
        None => Ok(None),
        Some(Json::Object(member)) => Ok(Some(member)),
        Some(_) => Err(UNKNOWN_FORMAT),
    }
}

fn format<'o>(id: &'o Object<'_>) -> Option<&'o str> {
    id.find("format").and_then(Json::as_text)
}

/// `iss_sub` (RFC 9493 §3.2.4). An issuer speaks of nobody but its own subjects.
fn of_issuer<'o>(id: &'o Object<'_>, terms: &IssuerTerms) -> Result<&'o str, TokenError> {
    if id.find("iss").and_then(Json::as_text) != Some(&*terms.issuer) {
        return Err(TokenError::ClaimInvalid("`sub_id` is another issuer's"));
    }
    let subject = text(id, "sub", "`sub` of `sub_id` is not a sound text")?;
    subject.ok_or(TokenError::ClaimInvalid("`sub_id` has no `sub`"))
}

/// `opaque` (RFC 9493 §3.2.6).
fn opaque<'o>(id: &'o Object<'_>) -> Result<&'o str, TokenError> {
    let name = text(id, "id", "`id` of `sub_id` is not a sound text")?;
    name.ok_or(TokenError::ClaimInvalid("`sub_id` has no `id`"))
}

const UNKNOWN_FORMAT: TokenError =
    TokenError::ClaimInvalid("`sub_id` has a format that names nobody here");
