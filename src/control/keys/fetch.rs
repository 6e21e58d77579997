//! One GET of one small document from a provider that may be slow, hostile or broken. Knows HTTP and its limits;
//! does not know what the document means.

use std::time::Duration;

use reqwest::header::{
    ACCEPT_ENCODING, AGE, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_NONE_MATCH, RETRY_AFTER,
};
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url, redirect};

use super::super::{causes, trust};
use super::source;
use crate::config::model::{PlainHttp, RemoteKeys};

/// The largest document, in bytes. A hundred RSA keys with their certificates fit.
pub(super) const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long one GET may take, redirects and body included.
pub(super) const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// How many redirects are followed, all within one origin.
const REDIRECTS_MAX: usize = 3;

/// Fetches the documents of one issuer.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    client: Client,
    headers: HeaderMap,
    /// The configured headers may be credentials: nobody but this origin sees them.
    home: Url,
    pub(super) plain: PlainHttp,
}

/// What names a document (RFC 9110 §8.8.3), at the address that it came from and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntityTag {
    url: Url,
    value: HeaderValue,
}

/// What a provider answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// The document that it had before.
    Unchanged {
        /// How long it is fresh yet.
        max_age: Option<Duration>,
    },
    /// A document.
    Document {
        /// Its bytes, at most [`BODY_BYTES_MAX`].
        body: Vec<u8>,
        /// `ETag`, to ask whether it changed.
        etag: Option<EntityTag>,
        /// How long it is fresh yet.
        max_age: Option<Duration>,
    },
}

/// Why a provider gave no document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfetched {
    /// For the operator.
    pub(super) why: String,
    /// How long it asks to be left alone (RFC 9110 §10.2.3).
    pub(super) retry_after: Option<Duration>,
}

impl From<String> for Unfetched {
    fn from(why: String) -> Self {
        Self {
            why,
            retry_after: None,
        }
    }
}

impl Fetcher {
    /// Prepares to fetch from `home` and, without the configured headers, from where `home` points.
    ///
    /// # Errors
    /// A text for the operator when the certificate bundle or a header cannot be used.
    pub(super) fn new(keys: &RemoteKeys, home: Url, ca: Option<&[u8]>) -> Result<Self, String> {
        Ok(Self {
            client: client(&home, ca)?,
            headers: headers(keys)?,
            home,
            plain: keys.plain_http,
        })
    }

    /// Fetches `url`. With an `etag` of that address, the answer may be that nothing changed.
    ///
    /// # Errors
    /// [`Unfetched`].
    pub(super) async fn get(
        &self,
        url: &Url,
        etag: Option<&EntityTag>,
    ) -> Result<Fetched, Unfetched> {
        let etag = etag.filter(|etag| etag.url == *url);
        let mut request = self.client.get(url.clone());
        if source::same_origin(url, &self.home) {
            request = request.headers(self.headers.clone());
        }
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, &etag.value);
        }
        let response = request.send().await.map_err(|error| told(url, error))?;
        let max_age = max_age(response.headers());
        match response.status() {
            StatusCode::OK => {
                check_coding(&response, url)?;
                let etag = response.headers().get(ETAG).map(|value| EntityTag {
                    url: url.clone(),
                    value: value.clone(),
                });
                let body = capped(response, url).await?;
                Ok(Fetched::Document {
                    body,
                    etag,
                    max_age,
                })
            }
            StatusCode::NOT_MODIFIED if etag.is_some() => Ok(Fetched::Unchanged { max_age }),
            status => Err(Unfetched {
                why: format!("{} answered {status}", shown(url)),
                retry_after: retry_after(status, response.headers()),
            }),
        }
    }
}

fn client(home: &Url, ca: Option<&[u8]>) -> Result<Client, String> {
    if let Some(bundle) = ca {
        let tls = trust::client(Some(bundle), &[b"h2".as_slice(), b"http/1.1"])?;
        let built = builder(home).tls_backend_preconfigured(tls).build();
        return built.map_err(causes::told);
    }
    trust::of_system(|| builder(home), "issuers")
}

fn builder(home: &Url) -> ClientBuilder {
    let builder = Client::builder()
        .timeout(FETCH_TIMEOUT)
        .redirect(redirect::Policy::custom(within_origin))
        .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")))
        .default_headers(as_it_is())
        // Fetches are minutes apart: a kept connection would only be found broken.
        .pool_max_idle_per_host(0);
    match source::is_loopback(home) {
        true => builder.no_proxy(),
        false => builder,
    }
}

/// Asks for no coding: where nothing is said a server may choose any (RFC 9110 §12.5.3).
fn as_it_is() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))])
}

fn headers(keys: &RemoteKeys) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &keys.headers {
        let sound = HeaderName::from_bytes(name.as_bytes())
            .ok()
            .zip(HeaderValue::from_bytes(value.expose()).ok());
        let (header, mut value) =
            sound.ok_or_else(|| format!("the header {name:?} cannot be sent"))?;
        value.set_sensitive(true);
        headers.append(header, value);
    }
    Ok(headers)
}

/// Follows a redirect only within the origin that was asked.
fn within_origin(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let asked = attempt.previous().first();
    if attempt.previous().len() > REDIRECTS_MAX {
        attempt.error(format!("more than {REDIRECTS_MAX} redirects"))
    } else if asked.is_some_and(|asked| source::same_origin(asked, attempt.url())) {
        attempt.follow()
    } else {
        attempt.error("a redirect to another host is not followed")
    }
}

/// A document in a coding would only look broken.
fn check_coding(response: &Response, url: &Url) -> Result<(), String> {
    match response.headers().get(CONTENT_ENCODING) {
        Some(coding) if coding != "identity" => {
            let coding = String::from_utf8_lossy(coding.as_bytes());
            Err(format!("{}: nobody asked for {coding}", shown(url)))
        }
        _ => Ok(()),
    }
}

/// Reads the body, and no more of it than [`BODY_BYTES_MAX`].
async fn capped(mut response: Response, url: &Url) -> Result<Vec<u8>, String> {
    let too_large = || format!("{} sent more than {BODY_BYTES_MAX} bytes", shown(url));
    if response
        .content_length()
        .is_some_and(|length| length > BODY_BYTES_MAX as u64)
    {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| told(url, error))? {
        if body.len() + piece.len() > BODY_BYTES_MAX {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// How long an answer is fresh yet: `max-age` (RFC 9111 §5.2.2.1) less the `Age` that it has from a cache on its way
/// (§5.1); zero where it must not be kept.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut fresh = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().ok()?.split(',') {
            let directive = directive.trim().to_ascii_lowercase();
            if directive == "no-store" || directive == "no-cache" {
                return Some(Duration::ZERO);
            }
            if let Some(seconds) = directive.strip_prefix("max-age=") {
                fresh = seconds.trim_matches('"').parse::<u64>().ok();
            }
        }
    }
    let age = headers.get(AGE).and_then(|age| age.to_str().ok());
    let age = age.and_then(|age| age.parse().ok()).unwrap_or(0);
    fresh.map(|fresh| Duration::from_secs(fresh.saturating_sub(age)))
}

/// How long a provider that has too much to do asks to be left alone, in seconds; a date is not heeded.
fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let is_busy = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    let after = headers
        .get(RETRY_AFTER)
        .filter(|_| is_busy.contains(&status))?;
    let seconds = after.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn told(url: &Url, error: reqwest::Error) -> String {
    format!("{}: {}", shown(url), causes::told(error))
}

/// The address without what might be a credential.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    let _ = url.set_password(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};

    use super::max_age;

    fn check(cache_control: &'static str, age: Option<&'static str>, expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, cache_control.parse().unwrap());
        headers.extend(age.map(|age| (AGE, age.parse().unwrap())));
        let fresh = max_age(&headers).map(|fresh| fresh.as_secs());
        assert_eq!(fresh, expected, "{cache_control} {age:?}");
    }

    #[test]
    fn what_a_cache_kept_on_the_way_is_fresh_for_so_much_less() {
        check("public, max-age=600", None, Some(600));
        check("max-age=600", Some("590"), Some(10));
        check("max-age=600", Some("700"), Some(0));
        check("max-age=600", Some("soon"), Some(600));
        check("no-cache, max-age=600", Some("5"), Some(0));
        check("public", Some("5"), None);
    }
}
