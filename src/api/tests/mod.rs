//! Tests of the room: the contract's table of refusals, and what pages of other origins may read.

mod cors;
pub(super) mod house;
mod refusals;
