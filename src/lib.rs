//! voxvault: a recording vault for the terminal.
//!
//! Read the modules in this order: what a recording and a transcript are, how
//! they are sealed, how sound comes in, how speech becomes text, how all of it
//! is kept and destroyed, how it is found, and what a person can do with it.
//! A module imports only from those above it.

#![forbid(unsafe_code)]

// The tests of the library share files with those that look at it from outside.
#[cfg(test)]
extern crate self as voxvault;

pub mod error;
pub mod fence;
pub mod recording;
pub mod time;
pub mod retention;
pub mod transcript;
pub mod listing;
pub mod config;
pub mod hardening;
pub mod system;
pub mod crypto;
pub mod audio;
pub mod speech;
pub mod vault;
pub mod search;
pub mod backup;
pub mod foreign;
pub mod worker;
pub mod command;
pub mod tui;
pub mod cli;
