//! Every refusal over sockets: each reason says the same word in all places, and what a refusal leaves behind.

mod house;
mod table;
mod traces;
