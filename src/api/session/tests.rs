//! The endpoints, called as the edge calls them, with a stub identity service and a clock that is set.

mod abuse;
mod ends;
mod flows;
mod grants;
mod house;
mod proofs;
mod service;
