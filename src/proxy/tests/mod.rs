//! The plane over real sockets on loopback: a gate from a configuration as an operator writes it, upstreams that say
//! exactly what a test tells them to, and clients that send exactly these bytes.

mod bodies;
mod connections;
mod framing;
mod goodbyes;
mod house;
mod http2;
mod http2_limits;
mod lifetimes;
mod limits;
mod odd_answers;
mod origins;
mod own;
mod repeats;
mod shared;
mod stops;
mod tls;
mod tunnels;
mod upstreams;
