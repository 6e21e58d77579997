//! Why nothing is served, in words for the operator.

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;

use crate::control::StartError;

/// Why nothing is served, in words for the operator.
#[derive(Debug)]
pub enum Refused {
    /// The world cannot start.
    Start(StartError),
    /// An address cannot be listened on.
    Address {
        /// `listeners.NAME` or `admin`.
        what: String,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The access log cannot be written.
    AccessLog(std::io::Error),
    /// The session side cannot start.
    Sessions(String),
    /// The system gives no threads or files.
    System(std::io::Error),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => error.fmt(f),
            Self::Address {
                what,
                address,
                error,
            } => {
                let hint = hint_of(error.kind());
                write!(f, "{what}: cannot listen on {address}: {error}{hint}")
            }
            Self::AccessLog(error) => write!(f, "telemetry.access_log: {error}"),
            Self::Sessions(text) => write!(f, "sessions: {text}"),
            Self::System(error) => write!(f, "the system refuses: {error}"),
        }
    }
}

impl std::error::Error for Refused {}

/// What most often lies behind an address that cannot be listened on.
fn hint_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::AddrInUse => "; another process has it",
        ErrorKind::AddrNotAvailable => "; no interface of this machine has it",
        ErrorKind::PermissionDenied => "; ports below 1024 want CAP_NET_BIND_SERVICE",
        _ => "",
    }
}
