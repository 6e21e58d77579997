//! Tests of the room, split by subject. A test adds a row; the crafting of tokens stands in `issuer`.

mod bearer;
mod claims;
mod form;
mod grants;
mod issuer;
mod vectors;
mod verdicts;
