//! Takes a span out of a recording of an open vault: silence in its sound, a mark
//! in every transcript.

use std::cell::RefCell;
use std::ops::Range;

use crate::audio::Silencer;
use crate::error::Failure;
use crate::recording::{Card, Recording, STORED_RATE_HZ};
use crate::transcript::{Heard, Outtake, Transcript};
use crate::vault::{OpenVault, Redacted, Redaction};

/// A span of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Samples at 48 kHz, without the end.
    pub samples: Range<u64>,
}

impl Span {
    /// The same in milliseconds, whatever is begun included.
    #[must_use]
    pub fn millis(&self) -> Range<u32> {
        let per_ms = u64::from(STORED_RATE_HZ) / 1000;
        let fitting = |ms: u64| u32::try_from(ms).unwrap_or(u32::MAX);
        fitting(self.samples.start / per_ms)..fitting(self.samples.end.div_ceil(per_ms))
    }
}

/// What stays in a transcript beside what was blanked, for a person to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The transcript's number.
    pub transcript: u32,
    /// The words around its new blanks.
    pub words: String,
    /// Whether some that went may have been spoken elsewhere.
    pub is_doubted: bool,
}

/// The length of a recording as its transcripts count it, whatever is begun
/// included.
fn length_ms(card: &Card) -> u32 {
    let per_ms = u64::from(STORED_RATE_HZ) / 1000;
    u32::try_from(card.samples.div_ceil(per_ms)).unwrap_or(u32::MAX)
}

/// What goes with this span from the transcripts of a recording.
#[must_use]
pub fn outtake(card: &Card, span: &Span, heard: Vec<Heard>) -> Outtake {
    Outtake {
        span_ms: span.millis(),
        length_ms: length_ms(card),
        heard,
    }
}

/// Redacts a recording, and answers with what stays beside each blank. `progress` hears
/// of segments done and segments in all.
///
/// # Errors
/// When the recording is running or can't be read, or the vault can't be written;
/// then it is as it was.
pub fn redact(
    vault: &OpenVault,
    recording: &Recording,
    span: &Span,
    outtake: &Outtake,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Redacted, Vec<Beside>), Failure> {
    let taken = Taken {
        silencer: Silencer::new(&span.samples, recording.card.pre_skip)?,
        outtake,
        beside: RefCell::default(),
    };
    let redacted = vault.redact(recording.id, &taken, progress)?;
    Ok((redacted, taken.beside.into_inner()))
}

struct Taken<'a> {
    silencer: Silencer,
    outtake: &'a Outtake,
    beside: RefCell<Vec<Beside>>,
}

impl Redaction for Taken<'_> {
    fn silence(&self, segment: u32, packets: &mut [u8]) {
        self.silencer.silence(segment.into(), packets);
    }

    fn blank(&self, number: u32, transcript: &Transcript) -> Option<Transcript> {
        let blank = transcript.redacted(self.outtake)?;
        self.beside.borrow_mut().push(Beside {
            transcript: number,
            words: blank.beside_blanks(transcript),
            is_doubted: transcript.is_doubted_in(self.outtake),
        });
        Some(blank)
    }

    fn trim(&self, card: &mut Card) {
        let silenced = self.silencer.silenced();
        card.markers.retain(|at| !silenced.contains(at));
    }
}
