//! The world on real sockets and files: providers that rotate, break, hang and lie, files that change under it.

mod discovery;
mod house;
mod keys;
mod provider;
mod reload;
mod restart;
