//! The data plane on pingora-core: listeners, HTTP/1.1 and HTTP/2 to clients and to upstreams, tunnels. The only room that
//! names pingora's types. Both protocols go through one edge: one decision, one header policy, one table of reasons,
//! one log line.
//!
//! ```text
//! listener     which worker, places, TLS, which protocol
//!  http1 http2 a head and a body, one request after the other
//!   turn       the decision: forward, answer, refuse
//!    exchange  both bodies at once, deadlines, the end of the token
//!     upstream which server, which connection
//! ```

mod alarm;
mod announce;
mod answer;
mod body;
mod client;
mod connection;
mod date;
mod edge;
mod entropy;
mod exchange;
mod exhausted;
mod failure;
mod forward;
mod http1;
mod http2;
mod listener;
mod moved;
mod own;
mod part;
mod record;
mod relay;
mod replay;
mod stop;
#[cfg(test)]
mod tests;
mod turn;
mod upstream;

pub use client::Role;
pub use edge::{Edge, EndpointCaller, Endpoints, World};
pub use listener::{Doorway, Plane, listen, take};
