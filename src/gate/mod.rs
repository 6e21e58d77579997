//! The one question: may this request pass? Everything that the answer needs is one immutable value, the [`Gate`];
//! `admit` walks it from the request line to the permit, `explain` is the same walk with a recorder. Knows no socket,
//! no clock and no file.

mod admit;
mod bare;
mod compared;
mod correlation;
mod credential;
mod endpoints;
mod explain;
mod forward;
mod line;
mod method;
mod question;
mod reason;
mod refusal;
mod rehearse;
#[cfg(test)]
mod tests;
mod trace;
mod verdict;

pub use admit::Gate;
pub use correlation::{RequestId, TraceContext};
pub use credential::shows_token;
pub use explain::Explanation;
pub use forward::Hop;
pub use question::Question;
pub use reason::Reason;
pub use refusal::{Hint, Refusal};
pub use rehearse::Rehearsal;
pub use trace::{Recorder, Silent, Trace};
pub use verdict::{Admission, Endpoint, Peer, Verdict};
