//! Tests of the room, split by subject. A test adds a row; the crafting of tokens stands in `issuer`.

mod bearer;
mod cache;
mod claims;
mod differential;
mod events;
mod forgeries;
mod form;
mod grants;
mod issuer;
mod key_sets;
mod keys;
mod mint;
mod replay;
mod vectors;
mod verdicts;
mod withdrawn;
