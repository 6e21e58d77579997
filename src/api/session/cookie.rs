//! The refresh cookie: read it, set it, take it away with the same name, path and attributes.

use bytes::Bytes;
use http::Response;
use http::header::{self, HeaderValue};

use super::call::Call;
use super::failure::Failure;
use crate::config::model::{Cookie, SameSite};

/// The refresh token in the cookie. Two of that name could be a sibling's doing: neither counts.
pub(super) fn read<'a>(cookie: &Cookie, call: &Call<'a>) -> Result<Option<&'a str>, Failure> {
    let fields = call.request.headers().get_all(header::COOKIE);
    let pairs = fields
        .into_iter()
        .flat_map(|field| field.as_bytes().split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii);
    let mut values = pairs.filter_map(|pair| {
        let rest = pair.strip_prefix(cookie.name.as_bytes())?;
        rest.trim_ascii_start().strip_prefix(b"=")
    });
    let value = values.next();
    if values.next().is_some() {
        return Err(Failure::InvalidRequest("two refresh cookies"));
    }
    Ok(value.map(|value| std::str::from_utf8(value.trim_ascii()).unwrap_or_default()))
}

/// Sets the cookie for so many seconds.
pub(super) fn set(response: &mut Response<Bytes>, cookie: &Cookie, token: &str, seconds: u64) {
    let same_site = match cookie.same_site {
        SameSite::Strict => "Strict",
        SameSite::Lax => "Lax",
        SameSite::None => "None; Partitioned",
    };
    let Cookie { name, path, .. } = cookie;
    let value = format!(
        "{name}={token}; Path={path}; Max-Age={seconds}; Secure; HttpOnly; SameSite={same_site}"
    );
    let value = HeaderValue::from_str(&value).expect("the cookie's parts were checked");
    response.headers_mut().append(header::SET_COOKIE, value);
}

/// Takes the cookie away.
pub(super) fn clear(response: &mut Response<Bytes>, cookie: &Cookie) {
    set(response, cookie, "", 0);
}
