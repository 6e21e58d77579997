//! What the gate says itself: refusals, preflights, its own endpoints and the admin page. Plain `http` requests in,
//! plain responses out: knows neither socket nor protocol. What a client may learn of a refusal is chosen here.

mod answer;
pub mod cors;
pub mod problem;
