//! Transcribes one recording of an open vault.

use std::fmt;

use super::samples::Samples;
use super::{Control, millis};
use crate::audio::StoredRate;
use crate::error::{Exit, Failure};
use crate::recording::Recording;
use crate::speech::{self, Language, Transcriber};
use crate::vault::OpenVault;

/// Reads the sound, hears what is said, and stores it as a new version.
/// The sound is read as it is needed: memory does not grow with its length.
///
/// # Errors
/// When the sound is damaged or gone, the work was cancelled, or the vault
/// can't be written. A failure of the speech model itself is noted on the
/// recording's card, so that it is not tried again by itself.
pub fn transcribe(
    vault: &OpenVault,
    transcriber: &mut Transcriber,
    recording: &Recording,
    language: &Language,
    control: &dyn Control,
) -> Result<u32, Failure> {
    if let Some(why) = recording.why_no_sound() {
        return Err(Failure::new(Exit::NotFound, "can't transcribe", why));
    }
    if recording.text_shredded {
        let why = "its text was shredded, and none is made any more";
        return Err(Failure::new(Exit::NotFound, "can't transcribe", why));
    }
    let card = &recording.card;
    let mut samples = Samples::of(vault, recording, StoredRate::Speech, 0)?;
    let mut source = |out: &mut Vec<f32>| samples.next(out);
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
    let number = vault.add_transcript(recording.id, recording.epoch, &transcript)?;
    if recording.card.failure.is_some() {
        vault.update_card(recording.id, &mut |card| card.failure = None)?;
    }
    Ok(number)
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
