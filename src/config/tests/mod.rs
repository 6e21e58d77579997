//! What the room promises: every fault at once and in its place, no secret shown, and a reference that tells the truth.

mod advice;
mod faults;
mod issuers;
mod reference;
mod report;
mod routes;
mod session_clients;
mod sessions;
mod support;
mod values;
