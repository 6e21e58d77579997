//! The command line: words in, words out. Results go to standard output, errors to standard error; the only room that
//! prints. Decides nothing: each command calls the code that serves.

mod args;
mod check;
mod demo;
mod distrust;
mod explain;
mod given;
mod key;
mod main;
mod output;
mod private_keys;
mod rotate;
mod run;
mod sessions;
mod token;
mod verify;
mod world;

pub use main::main;
