//! The program under torture: killed at random moments, failed by the kernel at
//! every call, stopped in the middle, and an attacker behind every shred.
//!
//! `make test` does a little of each; `make torture` goes on with fresh seeds.

mod attacker;
pub(crate) mod chance;
mod commands;
mod deeds;
mod faults;
mod gate;
mod kills;
mod rivals;
mod scene;
mod sound;
pub(crate) mod stopped;
pub(crate) mod torment;
mod transcription;
mod watched;
