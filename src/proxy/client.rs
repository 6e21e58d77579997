//! The client's side of a request: its connection, and its request as either protocol hands it over.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use super::announce::TRAILER;
use super::edge::{Edge, Serving};
use crate::api::problem::Dialect;
use crate::config::model::Listener;
use crate::gate::Peer;
use crate::wire::fields;
use crate::wire::head::Framing;
use crate::wire::{RequestHead, Scheme, Version};

/// What a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It serves routes and the gate's own public endpoints; one in clear text may send browsers to https instead.
    Public,
    /// It serves the admin API; nothing on it is a route.
    Admin,
}

/// The connection that requests come by.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) listener: Arc<Listener>,
    pub(super) role: Role,
    pub(super) address: IpAddr,
    /// The same as text: every request tells it, to its upstream and to the log.
    pub(super) address_text: Box<str>,
    pub(super) scheme: Scheme,
}

/// Follows a reload: from the next request on the client is held to the listener's new limits.
pub(super) fn renew(client: &mut Arc<Client>, edge: &Edge) {
    // The admin listener has no table of its own among the listeners.
    if client.role == Role::Admin {
        return;
    }
    if let Some(listener) = edge.renewed(&client.listener) {
        *client = Arc::new(Client {
            listener,
            ..(**client).clone()
        });
    }
}

impl Client {
    /// Counts its connection among those that a stop waits for, until the guard is dropped. The admin listener serves on
    /// through the stop.
    pub(super) fn to_end<'e>(&self, edge: &'e Edge) -> Option<Serving<'e>> {
        (self.role == Role::Public).then(|| edge.to_end())
    }

    /// As far as a decision may know it.
    pub(super) fn peer(&self) -> Peer<'_> {
        Peer {
            address: &self.address_text,
            trusted: self.is_trusted(),
        }
    }

    /// Whose request it is: the peer's, or behind trusted proxies the last address of their list that is none of them.
    fn origin(&self, head: &RequestHead<'_>) -> IpAddr {
        let chain = head.values("x-forwarded-for").flat_map(fields::list);
        let chain: Vec<&[u8]> = chain.collect();
        let mut origin = self.address;
        for before in chain.into_iter().rev() {
            if !self.trusts(origin) {
                break;
            }
            let Some(address) = address_of(before) else {
                break;
            };
            origin = address.to_canonical();
        }
        origin
    }

    /// Whose request a trusted proxy has passed on; `None` where the peer is the client.
    pub(super) fn behind(&self, head: &RequestHead<'_>) -> Option<IpAddr> {
        self.is_trusted()
            .then(|| self.origin(head))
            .filter(|origin| *origin != self.address)
    }

    /// Whether its `X-Forwarded-*` count.
    fn is_trusted(&self) -> bool {
        self.trusts(self.address)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let trusted = &self.listener.trusted_proxies;
        trusted.iter().any(|net| net.contains(&address))
    }
}

/// An address as proxies write it: some add the client's port, and some put brackets around an IPv6 one. One with a zone is
/// none: it says nothing beyond the machine that wrote it (RFC 4007 §11).
fn address_of(told: &[u8]) -> Option<IpAddr> {
    let told = std::str::from_utf8(told).ok()?;
    if told.contains('%') {
        return None;
    }
    if let Ok(address) = told.parse() {
        return Some(address);
    }
    if let Ok(with_port) = told.parse::<SocketAddr>() {
        return Some(with_port.ip());
    }
    let bracketed = told.strip_prefix('[')?.strip_suffix(']')?;
    bracketed.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// A request as either protocol hands it over.
pub(super) struct Incoming<'h> {
    pub(super) head: RequestHead<'h>,
    pub(super) framing: Framing,
    /// The protocol that it wants to switch to.
    pub(super) upgrade: Option<&'h str>,
    pub(super) expects_continue: bool,
    /// When its first byte came.
    pub(super) began: Instant,
}

impl<'h> Incoming<'h> {
    /// A request that could not be read.
    pub(super) fn unread(client: &Client, began: Instant) -> Self {
        let head = RequestHead {
            version: Version::Http11,
            scheme: client.scheme,
            method: "",
            target: "",
            authority: None,
            fields: &[],
        };
        Self {
            head,
            framing: Framing::Empty,
            upgrade: None,
            expects_continue: false,
            began,
        }
    }

    /// The one value of a field, or none.
    pub(super) fn value(&self, name: &str) -> Option<&'h [u8]> {
        fields::single(self.head.fields, name).ok().flatten()
    }

    /// The authority as it came, unchecked.
    pub(super) fn host(&self) -> Option<&'h str> {
        let field = || {
            self.value("host")
                .and_then(|value| std::str::from_utf8(value).ok())
        };
        self.head.authority.or_else(field)
    }

    /// The target's path, without its query. What may stand before a path is an authority, and maybe a user with a
    /// password in it (RFC 9112 §3.2.2).
    pub(super) fn path(&self) -> &'h str {
        let target = self.head.target.split(['?', '#']).next();
        let target = target.unwrap_or_default();
        if target.starts_with('/') {
            return target;
        }
        let Some((_scheme, rest)) = target.split_once("://") else {
            return target;
        };
        rest.find('/').map_or("/", |at| &rest[at..])
    }

    pub(super) fn dialect(&self) -> Dialect {
        Dialect::of(self.value("content-type"))
    }

    /// The values of `Trailer`, unless they are for this hop alone (RFC 9110 §7.6.1).
    pub(super) fn announced(&self) -> impl Iterator<Item = &'h [u8]> {
        let is_for_us = || {
            let mut options = fields::connection_options(self.head.fields);
            options.any(|option| option.eq_ignore_ascii_case(TRAILER.as_bytes()))
        };
        self.head.values(TRAILER).filter(move |_| !is_for_us())
    }

    /// Whether the client said that it understands trailers (RFC 9110 §10.1.4).
    pub(super) fn takes_trailers(&self) -> bool {
        self.head
            .values("te")
            .flat_map(fields::list)
            .any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
    }
}
