//! Sound that a library does not stand, and a file that is taken away meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails, and what is fenced"
)]

use std::io::{self, Read};

use tempfile::TempDir;

use super::*;
use crate::audio::{RawFormat, SampleFormat};
use crate::crypto::{Passphrase, WorkFactor};
use crate::vault::InitOptions;
use crate::vault::site::Site;
use crate::vault::{OpenVault, Vault};

const RATE_HZ: u32 = 16_000;

struct Nobody;

impl Control for Nobody {
    fn advance(&self, _done_ms: u64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// Sound in the midst of which something happens.
struct Sound<F: FnOnce()> {
    before: usize,
    then: Option<F>,
    after: usize,
}

impl<F: FnOnce()> Read for Sound<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.before == 0
            && let Some(then) = self.then.take()
        {
            then();
        }
        let left = match self.before {
            0 => &mut self.after,
            _ => &mut self.before,
        };
        let count = buffer.len().min(*left);
        *left -= count;
        buffer[..count].fill(0x11);
        Ok(count)
    }
}

/// So many seconds before and after it.
fn sound([before, after]: [usize; 2], then: impl FnOnce() + Send + Sync + 'static) -> SoundFile {
    let bytes = |seconds: usize| seconds * RATE_HZ as usize * 2;
    let sound = Sound {
        before: bytes(before),
        then: Some(then),
        after: bytes(after),
    };
    let format = RawFormat {
        sample: SampleFormat::S16le,
        rate_hz: RATE_HZ,
        channels: 1,
    };
    SoundFile::from_raw(Box::new(sound), format).unwrap()
}

fn new_vault() -> (TempDir, OpenVault) {
    let dir = tempfile::tempdir().unwrap();
    let options = InitOptions {
        work: WorkFactor::NONE,
        ..InitOptions::default()
    };
    let passphrase = Passphrase::new("six words that nobody guesses".to_owned());
    let site = Site::new(&dir.path().join("vault"), None);
    let open = Vault::init_at(site, &passphrase, options).unwrap();
    (dir, open)
}

fn card_of(source: Source) -> Card {
    let now = Moment {
        unix_ms: 1_763_800_000_000,
        offset_s: 0,
    };
    card(source, "sound".to_owned(), Vec::new(), now)
}

fn stream(vault: &OpenVault, sound: SoundFile) -> Result<Option<Taken>, Failure> {
    let limits = Limits {
        length: None,
        stop: Arc::default(),
    };
    from_stream(
        vault.vault(),
        sound,
        card_of(Source::Stdin),
        &limits,
        &Nobody,
    )
}

fn give_up_on_it() {
    panic!("a library that does not stand it");
}

#[test]
fn a_panic_in_what_reads_a_stream_ends_it_and_what_came_by_then_is_kept() {
    let (_home, vault) = new_vault();
    let taken = stream(&vault, sound([5, 1], give_up_on_it))
        .unwrap()
        .unwrap();
    assert_eq!(taken.state, State::Interrupted);
    let shortfall = taken.shortfall.unwrap();
    assert_eq!(shortfall.exit, Exit::Failed);
    assert_eq!(shortfall.hint.unwrap(), "0:04 of sound are kept");
    vault.merge().unwrap();
    let kept = vault.recording(taken.id).unwrap();
    assert_eq!(kept.card.duration(), taken.duration);
    assert!(kept.card.duration().as_secs_f64() > 4.0);
}

#[test]
fn a_panic_in_what_reads_a_file_leaves_nothing_of_it_and_the_next_is_taken() {
    let (_home, vault) = new_vault();
    let import = |sound| from_file(vault.vault(), sound, card_of(Source::Import), &Nobody);
    let failure = import(sound([5, 1], give_up_on_it)).unwrap_err();
    assert_eq!(failure.why, "what reads or codes it gave up on it");
    let good = import(sound([2, 0], || ())).unwrap();
    vault.merge().unwrap();
    let there = vault.recordings().unwrap();
    assert_eq!(
        there.iter().map(|one| one.id).collect::<Vec<_>>(),
        [good.id]
    );
}

#[test]
fn nothing_is_said_to_be_kept_of_a_recording_whose_file_was_taken_away() {
    // With its next segment and at its very end; alone, and with the whole vault.
    for (seconds, what) in [
        ([5, 5], "inbox"),
        ([5, 0], "inbox"),
        ([5, 5], ""),
        ([1, 0], ""),
    ] {
        let (home, vault) = new_vault();
        let dir = home.path().join("vault").join(what);
        let elsewhere = home.path().join("elsewhere");
        let take_away = move || std::fs::rename(dir, elsewhere).unwrap();
        let failure = stream(&vault, sound(seconds, take_away)).unwrap_err();
        assert_eq!(failure.exit, Exit::Failed);
        assert_eq!(failure.hint, None, "{failure:?}");
        assert!(failure.why.contains("is not there any more"), "{failure:?}");
        assert_eq!(failure.what, "can't go on recording");
    }
}
