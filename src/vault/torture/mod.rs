//! Every operation of the vault, and everything that a disk can do to it.
//!
//! [`table`] lists the operations; a new one is one entry there, made of [`deeds`]. Each runs on a
//! disk in memory (`ground::sim_disk`) while [`stage`] notes what it has promised by
//! when. Then the disk is taken as a power cut at any point leaves it
//! ([`cuts`]), also with one block damaged ([`damage`]) or with a second cut
//! while the first is being recovered from ([`again`]), or any operation of the
//! disk is made to fail ([`faults`]). [`look`] opens what is left and compares it
//! with what was promised; [`attacker`] tries to get at what was destroyed.
//! [`shredding`] has the cases in which several things happen at once, and
//! [`walks`] whole lives of vaults.
//!
//! `make torture` goes on with other seeds for minutes; `make test` does each of
//! these once, with a part of the images.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and figures are for who reads them"
)]

mod again;
mod attacker;
mod cuts;
mod damage;
mod deeds;
mod facts;
mod faults;
mod full_reader;
mod healing;
mod keeping;
mod logged;
mod look;
mod returning;
mod rounds;
mod shredding;
mod stage;
mod table;
#[allow(
    dead_code,
    clippy::print_stderr,
    reason = "shared with the tests from outside"
)]
#[path = "../../../tests/it/support/tally.rs"]
pub(in crate::vault) mod tally;
mod walks;
