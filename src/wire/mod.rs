//! What do these bytes mean? HTTP/1.1 heads and bodies as state machines without a socket (RFC 9112), and the rules
//! about field names that hold for every protocol (RFC 9110 §7.6.1). Knows no route, no token and no runtime:
//! bytes go in, pieces come out, and whatever could be read in two ways is an error here.

pub mod body;
mod chunk;
pub mod fields;
pub mod framing;
pub mod head;
pub mod preface;
mod request;
mod scan;
mod sink;
pub mod write;

pub use request::{Field, RequestHead, Scheme, Version};
pub use sink::{FieldSink, HeadSink};

#[cfg(test)]
mod tests;
