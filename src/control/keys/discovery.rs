//! From an issuer to its keys: the metadata document (OpenID Connect Discovery §3, RFC 8414 §2) names where they are.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use tokio::time::{Instant, timeout};

use super::fetch::{EntityTag, Fetched, Fetcher, Unfetched};
use super::source;
use crate::config::model::{PlainHttp, RemoteKeys};

/// How long a discovered address of keys is believed.
const DISCOVERED_FOR: Duration = Duration::from_secs(3600);
/// How long the metadata may take where the address is known already: the keys are fetched in what is left of a try.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

/// Where an issuer's keys are: where the operator says, or else where its metadata does.
#[derive(Debug, Default)]
pub(super) struct Address {
    discovered: Option<(Url, Instant)>,
    is_doubted: bool,
}

impl Address {
    /// Fetches the keys; with their `etag`, the answer may be that nothing changed. Where an address that was discovered earlier
    /// gives nothing, the metadata is asked anew: the provider may have moved them.
    ///
    /// # Errors
    /// [`Unfetched`].
    pub(super) async fn fetch(
        &mut self,
        fetcher: &Fetcher,
        issuer: &str,
        keys: &RemoteKeys,
        etag: Option<&EntityTag>,
    ) -> Result<Fetched, Unfetched> {
        let is_remembered = self.believed().is_some();
        let url = self.find(fetcher, issuer, keys).await?;
        let why = match fetcher.get(&url, etag).await {
            Err(why) if is_remembered => why,
            fetched => return fetched,
        };
        self.doubt();
        let moved_to = self.find(fetcher, issuer, keys).await?;
        if moved_to == url {
            return Err(why);
        }
        fetcher.get(&moved_to, etag).await
    }

    /// Finds the address. What was discovered is believed for an hour.
    async fn find(
        &mut self,
        fetcher: &Fetcher,
        issuer: &str,
        keys: &RemoteKeys,
    ) -> Result<Url, String> {
        if let Some(url) = &keys.jwks_url {
            return source::parse(url, fetcher.plain);
        }
        if let Some(url) = self.believed() {
            return Ok(url.clone());
        }
        let discovery = discover(fetcher, issuer);
        let Some((known, _)) = &self.discovered else {
            return Ok(self.found(discovery.await?));
        };
        let discovered = timeout(METADATA_TIMEOUT, discovery).await;
        match discovered.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
            Ok(url) => Ok(self.found(url)),
            // The metadata may be down while the keys are there.
            Err(error) => {
                tracing::warn!(iss = issuer, %error, "no metadata; the keys are looked for where they were");
                Ok(known.clone())
            }
        }
    }

    fn found(&mut self, url: Url) -> Url {
        self.discovered = Some((url.clone(), Instant::now()));
        self.is_doubted = false;
        url
    }

    fn believed(&self) -> Option<&Url> {
        let (url, found_at) = self.discovered.as_ref()?;
        let is_believed = !self.is_doubted && found_at.elapsed() < DISCOVERED_FOR;
        is_believed.then_some(url)
    }

    /// Asks the metadata next time.
    pub(super) fn doubt(&mut self) {
        self.is_doubted = true;
    }
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Finds where the keys of `issuer` are.
///
/// # Errors
/// A text for the operator: what each well-known place answered.
async fn discover(fetcher: &Fetcher, issuer: &str) -> Result<Url, String> {
    let mut refusals = Vec::new();
    for place in source::metadata(issuer, fetcher.plain)? {
        let found = match fetcher.get(&place, None).await {
            Ok(Fetched::Document { body, .. }) => jwks_uri(&body, issuer, fetcher.plain)
                .map_err(|refusal| format!("{place}: {refusal}")),
            Ok(Fetched::Unchanged { .. }) => Err(format!("{place} has no document")),
            Err(refusal) => Err(refusal.why),
        };
        match found {
            Ok(url) => return Ok(url),
            Err(refusal) => refusals.push(refusal),
        }
    }
    Err(refusals.join("; "))
}

/// Reads the keys' address out of `document`, which must speak for exactly `issuer` (RFC 8414 §3.3).
fn jwks_uri(document: &[u8], issuer: &str, plain: PlainHttp) -> Result<Url, String> {
    let metadata: Metadata = serde_json::from_slice(document)
        .map_err(|error| format!("not the metadata of an issuer: {error}"))?;
    if metadata.issuer != issuer {
        return Err(format!(
            "the metadata is that of {:?}, not of {issuer:?}",
            metadata.issuer
        ));
    }
    source::parse(&metadata.jwks_uri, plain).map_err(|refusal| format!("jwks_uri: {refusal}"))
}

#[cfg(test)]
mod tests {
    use super::jwks_uri;
    use crate::config::model::PlainHttp;

    fn check(document: &str) -> Result<String, String> {
        jwks_uri(
            document.as_bytes(),
            "https://a.example",
            PlainHttp::Loopback,
        )
        .map(String::from)
    }

    #[test]
    fn keys_may_be_on_another_host_over_https() {
        let found =
            check(r#"{"issuer":"https://a.example","jwks_uri":"https://keys.example/k","x":1}"#);
        assert_eq!(found.unwrap(), "https://keys.example/k");
    }

    #[test]
    fn metadata_of_another_issuer_is_refused() {
        for issuer in [
            "https://a.example/",
            "https://A.example",
            "https://b.example",
        ] {
            let document =
                format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://keys.example/k"}}"#);
            let told = check(&document).unwrap_err();
            assert!(told.contains("not of"), "{told}");
        }
    }

    #[test]
    fn keys_over_plain_http_are_refused() {
        let told = check(r#"{"issuer":"https://a.example","jwks_uri":"http://keys.example/k"}"#);
        assert!(told.unwrap_err().contains("plain http"));
    }
}
