//! HTTP/2 on a client's connection, and bodies on either side of it.

mod body;
mod request;
mod serve;
mod storm;
mod watched;

pub(super) use body::{Http2Body, Http2Outlet};
pub(super) use serve::serve;
#[cfg(test)]
pub(super) use storm::STREAMS_TOGETHER;
