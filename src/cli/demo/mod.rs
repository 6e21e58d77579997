//! `tollgate demo`: one process with the gateway, two sample products, a sample identity service and a store in a
//! temporary folder. Everything in it is the real thing but the samples.

mod house;
mod samples;
mod script;

pub(super) use script::run;
