//! Takes a span out of a recording of an open vault: silence in its sound, a mark
//! in every transcript.

use std::ops::Range;

use crate::audio::Silencer;
use crate::error::Failure;
use crate::recording::{Card, Recording, STORED_RATE_HZ};
use crate::transcript::Transcript;
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

/// Redacts a recording. `progress` hears of segments done and segments in all.
///
/// # Errors
/// When the recording is running or can't be read, or the vault can't be written;
/// then it is as it was.
pub fn redact(
    vault: &OpenVault,
    recording: &Recording,
    span: &Span,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Redacted, Failure> {
    let taken = Taken {
        silencer: Silencer::new(&span.samples, recording.card.pre_skip)?,
        words: span.millis(),
    };
    Ok(vault.redact(recording.id, &taken, progress)?)
}

struct Taken {
    silencer: Silencer,
    words: Range<u32>,
}

impl Redaction for Taken {
    fn silence(&self, segment: u32, packets: &mut [u8]) {
        self.silencer.silence(segment.into(), packets);
    }

    fn blank(&self, transcript: &Transcript) -> Option<Transcript> {
        transcript.redacted(&self.words)
    }

    fn trim(&self, card: &mut Card) {
        let silenced = self.silencer.silenced();
        card.markers.retain(|at| !silenced.contains(at));
    }
}
