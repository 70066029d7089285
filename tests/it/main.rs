//! What voxvault promises, shown from outside: one file for each promise.
//!
//! A test that needs a tool this machine lacks says `skipped: …`; with
//! `VOXVAULT_NO_SKIP=1` that is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that can't go on fails, and one that can't run says so"
)]

mod architecture;
mod backup;
mod beside;
mod bytes;
mod capture;
mod clock;
mod crash;
mod damaged_card;
mod edit;
mod examples;
mod exit_codes;
mod export;
mod forensic;
mod hostile_sound;
mod hostile_zip;
mod import_elsewhere;
mod keys;
mod log;
mod main_job;
mod microphone;
mod offline;
mod plaintext;
mod play;
mod pty;
mod read_only;
mod torture;
mod redact;
mod restore;
mod retain;
mod shown;
mod shred;
mod tallied;
mod transcribing;
mod unfit;
mod wipe;

#[allow(
    dead_code,
    unused_imports,
    reason = "a helper may stand before the test that needs it"
)]
mod support;
