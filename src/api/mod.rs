//! What the gate says itself: refusals, preflights, its own endpoints and the admin page. Plain `http` requests in,
//! plain responses out: knows neither socket nor protocol. What a client may learn of a refusal is chosen here.

pub mod admin;
mod answer;
pub mod cors;
pub mod explain;
pub mod jwks;
mod object;
pub mod problem;

pub mod session;
#[cfg(test)]
mod tests;
