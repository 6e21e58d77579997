//! What a session promises, each rule over sockets against the real binary: what a client, a thief, an operator and a broken
//! disk can see. Time is a clock that the test sets.

mod calls;
mod clock;
mod events;
mod house;
mod keys;
mod login;
mod outages;
mod partners;
mod revocation;
mod rotation;
mod secrets;
mod service;
mod told;
mod web;
