//! Puts a sound file into a new vault, step by step, through the library.
//!
//!     echo "a passphrase of several words" |
//!         cargo run --release --example record_wav -- memo.wav my-vault
//!
//! The passphrase is the first line of standard input. `voxvault --vault
//! my-vault list` shows the recording afterwards.

#![allow(clippy::print_stdout, reason = "an example says what it did")]

use std::error::Error;
use std::io;
use std::path::PathBuf;

use jiff::Zoned;
use voxvault::audio::{Intake, SoundFile};
use voxvault::crypto::Passphrase;
use voxvault::recording::{Ending, Moment, Source};
use voxvault::vault::{InitOptions, Vault};
use voxvault::worker::taking;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(file), Some(dir)) = (arguments.next(), arguments.next()) else {
        return Err("usage: record_wav FILE VAULT_DIR < PASSPHRASE".into());
    };
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let passphrase = Passphrase::new(line.trim_end_matches('\n').to_owned());

    // A new vault. Stretching the passphrase takes about a second.
    let vault = Vault::init(&dir, &passphrase, InitOptions::default())?;

    // Any rate, any number of channels. The intake makes of it what a vault
    // keeps: one channel, 48 kHz, Opus in segments of equal size.
    let mut sound = SoundFile::open(&file)?;
    let mut intake = Intake::new(sound.shape().clone())?;

    // The card is what is known about a recording.
    let now = Moment::from_zoned(&Zoned::now());
    let title = file.file_stem().unwrap_or_default().to_string_lossy();
    let mut card = taking::card(Source::Import, title.into_owned(), vec![], now);
    card.pre_skip = intake.pre_skip();

    // Recording needs no key: `vault.vault()` is the vault as it is when locked.
    // Each segment is sealed and on the disk when `push` returns.
    let mut writer = vault.vault().begin(&card)?;
    while let Some(block) = sound.next_block()? {
        intake.push(block, &mut |packets, samples| writer.push(packets, samples))?;
    }
    let summary = intake.finish(&mut |packets, samples| writer.push(packets, samples))?;
    card.samples = summary.samples;
    card.signal = summary.signal;
    card.content_hash = Some(summary.content_hash);
    card.ending = Ending::Complete;
    let id = writer.finish(&card)?;

    // So far it lies in the inbox. Who holds the key takes it into the store.
    vault.merge()?;
    let recording = vault.recording(id)?;
    println!(
        "{id}: {:.1} s, loudest {:.1} dBFS, {} bytes sealed",
        recording.card.duration().as_secs_f64(),
        recording.card.signal.peak_dbfs,
        recording.audio_bytes,
    );
    Ok(())
}
