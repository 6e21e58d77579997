//! What a session is: everything a store keeps of it. What becomes of it stands in `lifecycle`.

use std::time::Duration;

use super::grant::Grant;
use super::id::TimedId;
use super::refresh_token::{KeyId, Salt};
use crate::time::Timestamp;

/// How refresh tokens travel. A token of one transport is void at the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// In an HttpOnly cookie.
    Cookie,
    /// In the body.
    Body,
}

/// One session.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// `sid`; tells when the session began.
    pub id: TimedId,
    /// Whether it may still rotate.
    pub state: State,
    /// How often it rotated: the number of its only live refresh token.
    pub generation: u64,
    /// The master key that the live refresh token was derived with.
    pub key: KeyId,
    /// When the present generation began. Never moved by replays.
    pub rotated_at: Timestamp,
    /// Whether an access token of the present generation was seen: the reply arrived.
    pub confirmed: bool,
    /// Replays answered behind the grace, in the present generation.
    pub replays: u32,
    /// Where the present generation was asked for from.
    pub context: Context,
    /// Predecessors that came from elsewhere.
    pub foreign: ForeignReplays,
    /// From then on it is over, unless it rotates before.
    pub idle_until: Timestamp,
    /// From then on it is over. Fixed at login.
    pub ends_at: Timestamp,
    /// How far a rotation moves `idle_until`.
    pub idle_lifetime: Duration,
    /// Whose it is, as the identity service named it.
    pub subject: Box<str>,
    /// `client_id` of the only client that may use it.
    pub client: Box<str>,
    /// How its tokens travel.
    pub transport: Transport,
    /// Half of what its tokens are derived from.
    pub salt: Salt,
    /// What its access tokens say.
    pub grant: Grant,
    /// When the identity service last vouched for `grant`.
    pub granted_at: Timestamp,
    /// The identity service's own handle, sealed.
    pub handle: Option<Box<[u8]>>,
    /// For the list of devices.
    pub device: Device,
}

/// What the list of devices shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// What the user calls it.
    pub label: Box<str>,
    /// `User-Agent` of the login.
    pub user_agent: Box<str>,
    /// Address of the last rotation.
    pub address: Box<str>,
}

/// Whether a session may still rotate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It may, while its time is not over.
    Active,
    /// It may not, ever again.
    Revoked {
        /// Since when.
        at: Timestamp,
        /// Why.
        why: Why,
    },
}

/// Why a session was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// A refresh token was used after its successor was.
    Reuse,
    /// Too many predecessors came from elsewhere.
    ForeignReplay,
    /// The user logged out.
    Logout,
    /// The user logged out everywhere.
    LogoutAll,
    /// The client gave its token back (RFC 7009).
    Returned,
    /// The identity service no longer knows the subject.
    Denied,
    /// The operator said so.
    Operator,
    /// It was the oldest of too many.
    Displaced,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Reuse,
        Self::ForeignReplay,
        Self::Logout,
        Self::LogoutAll,
        Self::Returned,
        Self::Denied,
        Self::Operator,
        Self::Displaced,
    ];

    /// The word in the store and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reuse => "reuse",
            Self::ForeignReplay => "foreign_replay",
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::Returned => "returned",
            Self::Denied => "denied",
            Self::Operator => "operator",
            Self::Displaced => "displaced",
        }
    }
}

/// A digest of where a caller calls from: its network and its user agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context(pub [u8; 16]);

/// How many generations saw their predecessor come from elsewhere, since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForeignReplays {
    /// Generations, counted once each.
    pub count: u32,
    /// The last generation that was counted.
    pub generation: u64,
    /// Start of the period that `count` is of.
    pub since: Timestamp,
}
