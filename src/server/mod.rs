//! The composition root: the only room that names every adapter. Starts the world, binds the listeners, and ends the process
//! in the right order. Decides nothing.

mod acts;
mod descriptors;
mod endpoints;
mod own_keys;
mod refused;
mod run;
mod sessions;
mod sockets;
mod stop;
mod summary;

pub use refused::Refused;
pub use run::{install_cryptography, run};
pub use summary::Summary;
