//! The one task that changes what serves: a configuration is prepared while another one serves, keys come and go, and each
//! change ends in a whole new gate.

mod leaving;
mod own_keys;
mod prepare;
mod publisher;
mod reload;
mod restart;
mod serving;

pub use prepare::StartError;
pub(super) use prepare::{Occasion, prepare, read};
pub(super) use publisher::Publisher;
pub(super) use serving::{Serving, Views};
