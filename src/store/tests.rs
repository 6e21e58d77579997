//! Every store keeps the promises of the port; the file keeps some more.

mod busy;
mod conformance;
mod file;
mod owed;
mod support;
mod time;
