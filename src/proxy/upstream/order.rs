//! A request as an upstream gets it, in the words of either protocol. Decides no field: they were decided before.

use http::{HeaderName, HeaderValue, Method, Request, Uri, Version, header};

use crate::wire::head::Framing;
use crate::wire::write;
use crate::wire::{FieldSink, HeadSink};

/// The request as the upstream is to get it.
pub(in crate::proxy) struct Order<'o> {
    pub(in crate::proxy) method: &'o str,
    pub(in crate::proxy) target: &'o str,
    /// `Host` or `:authority`; else the server's own name.
    pub(in crate::proxy) authority: Option<&'o str>,
    pub(in crate::proxy) framing: Framing,
    /// The protocol to switch to.
    pub(in crate::proxy) upgrade: Option<&'o str>,
    /// Whether the client understands trailers, which gRPC servers insist on.
    pub(in crate::proxy) te_trailers: bool,
    /// The trailers that are announced.
    pub(in crate::proxy) trailer: Option<&'o [u8]>,
    /// Hands over every end-to-end field.
    pub(in crate::proxy) fields: &'o (dyn Fn(&mut dyn FieldSink) + Sync),
}

impl Order<'_> {
    /// Writes it as HTTP/1.1.
    pub(super) fn write_head(&self, out: &mut Vec<u8>, authority: &str) {
        write::write_request_head(out, self.method, self.target);
        write::write_field(out, "Host", authority.as_bytes());
        (self.fields)(&mut HeadSink(out));
        match self.framing {
            Framing::Empty | Framing::UntilClose => {}
            Framing::Length(length) => write::write_content_length(out, length),
            Framing::Chunked => write::write_field(out, "Transfer-Encoding", b"chunked"),
        }
        if let Some(names) = self.trailer {
            write::write_field(out, "Trailer", names);
        }
        if let Some(protocol) = self.upgrade {
            write::write_field(out, "Connection", b"Upgrade");
            write::write_field(out, "Upgrade", protocol.as_bytes());
        }
        write::write_head_end(out);
    }

    /// The same for HTTP/2; `None` for what it cannot say.
    pub(super) fn http2_head(&self, authority: &str, is_tls: bool) -> Option<Request<()>> {
        let uri = Uri::builder()
            .scheme(if is_tls { "https" } else { "http" })
            .authority(authority)
            .path_and_query(self.target)
            .build()
            .ok()?;
        let mut head = Request::new(());
        *head.method_mut() = Method::from_bytes(self.method.as_bytes()).ok()?;
        *head.uri_mut() = uri;
        *head.version_mut() = Version::HTTP_2;
        let headers = head.headers_mut();
        let mut sound = true;
        (self.fields)(&mut |name: &str, value: &[u8]| {
            let name = HeaderName::from_bytes(name.as_bytes());
            match (name, HeaderValue::from_bytes(value)) {
                (Ok(name), Ok(value)) => drop(headers.append(name, value)),
                _ => sound = false,
            }
        });
        if let Framing::Length(length) = self.framing {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        if self.te_trailers {
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        if let Some(names) = self.trailer {
            headers.insert(header::TRAILER, HeaderValue::from_bytes(names).ok()?);
        }
        sound.then_some(head)
    }
}
