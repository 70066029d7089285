//! Transcribes one recording of an open vault.

use std::fmt;

use super::samples::Samples;
use super::{Control, millis};
use crate::audio::StoredRate;
use crate::error::{Exit, Failure};
use crate::recording::Recording;
use crate::speech::{self, Language, Transcriber};
use crate::vault::OpenVault;

/// Why a recording is transcribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody named it: there will be one more version in any case.
    Named,
    /// It has none. Others may be at it as well, and who is first makes the only one.
    Waits,
}

/// Reads the sound, hears what is said, and stores it as a new version: its number.
/// `None` if it waits no longer, because another process was faster.
/// The sound is read as it is needed: memory does not grow with its length.
///
/// # Errors
/// When the sound is damaged or gone, the disk does not give all of it now, the work was
/// cancelled, or the vault can't be written. A failure of the speech model itself is noted on the
/// recording's card, so that it is not tried again by itself.
pub fn transcribe(
    vault: &OpenVault,
    transcriber: &mut Transcriber,
    recording: &Recording,
    cause: Cause,
    language: &Language,
    control: &dyn Control,
) -> Result<Option<u32>, Failure> {
    // What waits was listed a while ago.
    if cause == Cause::Waits && !vault.recording(recording.id)?.waits_for_transcript() {
        return Ok(None);
    }
    if let Some(why) = recording.why_no_sound() {
        return Err(Failure::new(Exit::NotFound, "can't transcribe", why));
    }
    if recording.text_shredded {
        let why = "its text was shredded, and none is made any more";
        return Err(Failure::new(Exit::NotFound, "can't transcribe", why));
    }
    let card = &recording.card;
    let mut samples = Samples::of(vault, recording, StoredRate::Speech, 0)?;
    let mut source = |out: &mut Vec<f32>| all_that_is_there(&mut samples, out);
    let heard = Hearing { control };
    let options = speech::Options {
        language: language.clone(),
        made_at: vault.now(),
    };
    let total_s = card.duration().as_secs_f64();
    let transcript = match transcriber.transcribe(&mut source, Some(total_s), &options, &heard) {
        Ok(transcript) => transcript,
        Err(error) => {
            let is_models_fault = matches!(error, speech::Error::Whisper { .. });
            let failure = Failure::from(error);
            if is_models_fault {
                let why = failure.why.clone();
                vault.update_card(recording.id, &mut |card| card.failure = Some(why.clone()))?;
            }
            return Err(failure);
        }
    };
    control.advance(millis(card.samples));
    let (id, epoch) = (recording.id, recording.epoch);
    let number = match cause {
        Cause::Named => Some(vault.add_transcript(id, epoch, &transcript)?),
        Cause::Waits => vault.add_first_transcript(id, epoch, &transcript)?,
    };
    if recording.card.failure.is_some() {
        vault.update_card(recording.id, &mut |card| card.failure = None)?;
    }
    Ok(number)
}

/// The next samples. Silence stands in for what is damaged, but not for what the disk may
/// give again some day: a transcript counts as one of all that was said, and a rule that
/// keeps nothing but that would destroy what it lacks.
fn all_that_is_there(samples: &mut Samples, out: &mut Vec<f32>) -> Result<bool, Failure> {
    let more = samples.next(out)?;
    if samples.silenced().unread == 0 {
        return Ok(more);
    }
    let why = "a part of its sound can't be read: the disk does not give a sector of the store; \
               no transcript is made without it";
    Err(Failure::new(Exit::Damaged, "can't transcribe", why)
        .hint("look at the disk, and try again: an error of a disk may pass"))
}

/// Passes what the speech model says on to whoever listens.
pub(super) struct Hearing<'a> {
    pub(super) control: &'a dyn Control,
}

impl fmt::Debug for Hearing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hearing")
    }
}

impl speech::Control for Hearing<'_> {
    fn progress(&self, done_s: f64, _total_s: f64) {
        self.control.advance((done_s * 1000.0) as u64);
    }

    fn cancelled(&self) -> bool {
        self.control.cancelled()
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a panic is how a test fails"
    )]

    use std::ops::Range;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;
    use crate::audio::silent_segment;
    use crate::crypto::{Passphrase, WorkFactor};
    use crate::recording::{Card, Moment, SEGMENT_SAMPLES, sample};
    use crate::vault::frame::Kind;
    use crate::vault::sim_disk::SimDisk;
    use crate::vault::site::Site;
    use crate::vault::{InitOptions, Placement, Vault, scan};

    const SEGMENTS: u32 = 24;

    /// A vault with one recording, which has been looked at.
    fn vault_on(disk: &SimDisk) -> OpenVault {
        let site = Site {
            disk: Arc::new(disk.clone()),
            ..Site::new(Path::new("/vault"), None)
        };
        let options = InitOptions {
            placement: Placement::Anywhere,
            work: WorkFactor::NONE,
        };
        let passphrase = Passphrase::new("six words that nobody guesses".to_owned());
        let open = Vault::init_at(site, &passphrase, options).unwrap();
        let card = Card {
            samples: u64::from(SEGMENTS) * u64::from(SEGMENT_SAMPLES),
            ..sample::card(Moment {
                unix_ms: 1_763_800_000_000,
                offset_s: 0,
            })
        };
        let mut writer = open.vault().begin(&card).unwrap();
        let silence = silent_segment().unwrap();
        for _ in 0..SEGMENTS {
            writer.push(&silence, SEGMENT_SAMPLES).unwrap();
        }
        writer.finish(&card).unwrap();
        open.merge().unwrap();
        assert_eq!(
            open.store_flaw().unwrap().map(|flaw| flaw.to_string()),
            None
        );
        open
    }

    fn store() -> PathBuf {
        Path::new("/vault").join("store.redb")
    }

    /// Where the body of this segment lies in the store.
    fn place_of(disk: &SimDisk, number: u32) -> Range<usize> {
        let bytes = disk.files()[&store()].clone();
        let is_it = |kind, found| (kind, found) == (Kind::Sound, number);
        let mut frames = scan::frames(&bytes);
        let (at, _) = frames
            .find(|(_, frame)| is_it(frame.facts.kind, frame.facts.number))
            .unwrap();
        at + 200..at + 300
    }

    /// All that a transcript would be made of: how many segments of it are silence.
    fn listen(open: &OpenVault) -> Result<u64, Failure> {
        let recording = open.recordings()?.remove(0);
        let mut samples = Samples::of(open, &recording, StoredRate::Speech, 0)?;
        let mut heard = Vec::new();
        while all_that_is_there(&mut samples, &mut heard)? {}
        Ok(samples.silenced().lost)
    }

    #[test]
    fn no_transcript_is_made_without_what_the_disk_may_give_again() {
        let disk = SimDisk::default();
        let open = vault_on(&disk);
        assert_eq!(listen(&open), Ok(0));
        let place = place_of(&disk, 15);
        disk.break_reads(&store(), place.clone());
        let failure = listen(&open).unwrap_err();
        assert_eq!(failure.exit, Exit::Damaged);
        assert!(failure.why.contains("no transcript"), "{failure}");
        assert!(failure.hint.is_some_and(|hint| hint.contains("again")));

        disk.break_reads(Path::new("/nothing"), 0..0);
        assert_eq!(listen(&open), Ok(0), "it has passed");
    }

    #[test]
    fn silence_stands_in_for_what_is_damaged_for_good() {
        let disk = SimDisk::default();
        let open = vault_on(&disk);
        let place = place_of(&disk, 15);
        disk.tamper(&store(), |bytes| bytes[place].fill(0x5a));
        assert_eq!(listen(&open), Ok(1));
    }
}
