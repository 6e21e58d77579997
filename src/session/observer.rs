//! What of a session's life is told to operators: a closed list of events. Knows neither metric nor log.

use std::time::Duration;

use super::id::TimedId;
use super::state::Transport;

/// Something that happened on the session side: the label of the metric and the word in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A session began.
    Login,
    /// The identity service refused a login.
    LoginRefused,
    /// A refresh token was rotated.
    Refresh,
    /// A predecessor was answered with its successor.
    Replay,
    /// A store that had lost a write was put right by a token ahead of it.
    Recovered,
    /// A spent refresh token came back; the session died.
    Reuse,
    /// Spent refresh tokens kept coming from elsewhere; the session died.
    ForeignReplay,
    /// More replays than the tail answers.
    ReplaysExhausted,
    /// A refresh token that is none of ours.
    Forged,
    /// A refresh token of a session that is gone, dead or over.
    Dead,
    /// A refresh token at the wrong client.
    ClientMismatch,
    /// A refresh token by the wrong transport.
    TransportMismatch,
    /// The identity service ended a session at a refresh.
    Denied,
    /// A session was logged out.
    Logout,
    /// All sessions of a subject were logged out.
    LogoutAll,
    /// A token was given back.
    Returned,
    /// A client could not prove itself.
    ClientRefused,
    /// A client assertion came twice.
    AssertionReplay,
    /// A client got a token of its own.
    ClientCredentials,
    /// A browser's call failed the checks against forgery across sites.
    OriginRefused,
    /// A call over a limit.
    RateLimited,
    /// The identity service did not answer, or not as agreed.
    HookUnavailable,
    /// The store did not answer.
    StoreUnavailable,
}

impl Event {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginRefused => "login_refused",
            Self::Refresh => "refresh",
            Self::Replay => "replay",
            Self::Recovered => "recovered",
            Self::Reuse => "reuse",
            Self::ForeignReplay => "foreign_replay",
            Self::ReplaysExhausted => "replays_exhausted",
            Self::Forged => "forged",
            Self::Dead => "dead",
            Self::ClientMismatch => "client_mismatch",
            Self::TransportMismatch => "transport_mismatch",
            Self::Denied => "denied",
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::Returned => "returned",
            Self::ClientRefused => "client_refused",
            Self::AssertionReplay => "assertion_replay",
            Self::ClientCredentials => "client_credentials",
            Self::OriginRefused => "origin_refused",
            Self::RateLimited => "rate_limited",
            Self::HookUnavailable => "hook_unavailable",
            Self::StoreUnavailable => "store_unavailable",
        }
    }

    /// Who wants to read of it.
    pub const fn weight(self) -> Weight {
        match self {
            Self::Recovered
            | Self::Reuse
            | Self::ForeignReplay
            | Self::Forged
            | Self::ClientMismatch
            | Self::TransportMismatch
            | Self::ClientRefused
            | Self::AssertionReplay
            | Self::OriginRefused
            | Self::HookUnavailable
            | Self::StoreUnavailable => Weight::Alarm,
            Self::Dead | Self::Denied | Self::ReplaysExhausted => Weight::Refusal,
            Self::Login
            | Self::LoginRefused
            | Self::Refresh
            | Self::Replay
            | Self::Logout
            | Self::LogoutAll
            | Self::Returned
            | Self::ClientCredentials
            | Self::RateLimited => Weight::Routine,
        }
    }
}

/// Who wants to read of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// An operator should look: somebody may be attacking, or something is down.
    Alarm,
    /// Somebody will ask why their token no longer counted; the answer to the client does not say.
    Refusal,
    /// The metric and the access log tell enough.
    Routine,
}

/// Where and to whom it happened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Occasion<'a> {
    /// How its tokens travel, where that is known.
    pub transport: Option<Transport>,
    /// The session, where one is known. No credential.
    pub session: Option<TimedId>,
    /// The client, where one is known.
    pub client: Option<&'a str>,
    /// How many generations the token was behind, where one was.
    pub behind: Option<u64>,
    /// Why the session was dead before, where it was.
    pub why: Option<&'static str>,
    /// How long the present generation had lasted, where there is one.
    pub age: Option<Duration>,
    /// `X-Request-Id`.
    pub request_id: &'a str,
}

/// Hears what happens. Never told a token or a subject.
pub trait Observer: Send + Sync {
    /// Something happened to a session.
    fn session(&self, event: Event, occasion: &Occasion<'_>);

    /// The store took so long for one operation.
    fn store(&self, operation: &'static str, took: Duration);

    /// So many revocations count, and so long ago the shared list was read last.
    fn revocations(&self, count: usize, lag: Duration);
}
