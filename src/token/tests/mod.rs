//! Tests of the room, split by subject. A test adds a row; the crafting of tokens stands in `issuer`.

mod issuer;
mod vectors;
mod verdicts;
