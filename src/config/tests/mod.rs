//! What the room promises: every fault at once and in its place, no secret shown, and a reference that tells the truth.

mod faults;
mod reference;
mod report;
mod sessions;
mod support;
