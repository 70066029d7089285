//! Listens to a span of a recording before it is taken out: which words are spoken in
//! it, whatever times the transcripts give them.

use std::iter;
use std::ops::Range;

use super::Control;
use super::redacting::Span;
use super::samples::Samples;
use super::transcription::Hearing;
use crate::audio::StoredRate;
use crate::error::Failure;
use crate::recording::{Recording, STORED_RATE_HZ};
use crate::speech::{self, Language, SPEECH_RATE_HZ, Transcriber};
use crate::transcript::Heard;
use crate::vault::OpenVault;

/// Times are wrong by seconds, so of a long span its two ends tell all that they hide:
/// so much of each, in samples at 48 kHz.
const END_SAMPLES: u64 = 20 * STORED_RATE_HZ as u64;

/// Whisper hears nothing in less than a second: silence follows what is shorter.
const LEAST_SAMPLES: usize = SPEECH_RATE_HZ as usize * 3 / 2;

/// What is heard in the span, piece by piece. `control` hears of milliseconds done
/// of each piece.
///
/// # Errors
/// When none of the sound can be read, the work was cancelled, or the speech model
/// failed.
pub fn listen(
    vault: &OpenVault,
    transcriber: &mut Transcriber,
    recording: &Recording,
    span: &Span,
    language: &Language,
    control: &dyn Control,
) -> Result<Vec<Heard>, Failure> {
    let options = speech::Options {
        language: language.clone(),
        made_at: vault.now(),
    };
    let mut heard = Vec::new();
    for piece in pieces(span) {
        let mut samples = Samples::of(vault, recording, StoredRate::Speech, piece.start)?;
        let length = piece.end - piece.start;
        let mut rest = Rest::of(length);
        let mut source = |out: &mut Vec<f32>| {
            let begin = out.len();
            let more = samples.next(out)?;
            Ok(rest.take(begin, more, out))
        };
        let total_s = length as f64 / f64::from(STORED_RATE_HZ);
        let by_ear =
            transcriber.transcribe(&mut source, Some(total_s), &options, &Hearing { control })?;
        if samples.silenced().lost > 0 {
            control.note("a part of the span can't be read: nobody hears what is said there");
        }
        let span_ms = Span { samples: piece }.millis();
        heard.push(Heard::new(span_ms, &by_ear));
    }
    Ok(heard)
}

/// The parts of a span that are listened to, samples at 48 kHz.
fn pieces(span: &Span) -> Vec<Range<u64>> {
    let Range { start, end } = span.samples;
    match end - start > 2 * END_SAMPLES {
        true => vec![start..start + END_SAMPLES, end - END_SAMPLES..end],
        false => iter::once(start..end).collect(),
    }
}

/// What is still to come of a piece, in samples as Whisper hears them.
struct Rest {
    samples: usize,
    padding: usize,
}

impl Rest {
    /// Of a piece of so many samples at 48 kHz.
    fn of(length: u64) -> Self {
        let per_sample = u64::from(STORED_RATE_HZ / SPEECH_RATE_HZ);
        let samples = usize::try_from(length.div_ceil(per_sample)).unwrap_or(usize::MAX);
        Self {
            samples,
            padding: LEAST_SAMPLES.saturating_sub(samples),
        }
    }

    /// Cuts off what came from here on beyond the end of the piece; whether more may
    /// come.
    fn take(&mut self, begin: usize, more: bool, out: &mut Vec<f32>) -> bool {
        let came = (out.len() - begin).min(self.samples);
        out.truncate(begin + came);
        self.samples -= came;
        let more = more && self.samples > 0;
        if !more {
            out.resize(out.len() + std::mem::take(&mut self.padding), 0.0);
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(seconds: Range<u64>) -> Span {
        let rate = u64::from(STORED_RATE_HZ);
        Span {
            samples: seconds.start * rate..seconds.end * rate,
        }
    }

    #[test]
    fn a_long_span_is_listened_to_at_its_ends() {
        let one = span(5..45);
        assert_eq!(pieces(&one), std::slice::from_ref(&one.samples));
        let ends = [span(5..25).samples, span(3_580..3_600).samples];
        assert_eq!(pieces(&span(5..3_600)), ends);
    }

    #[test]
    fn a_piece_ends_where_the_span_does_and_a_short_one_is_filled_up() {
        let mut rest = Rest::of(48_000 * 2);
        let mut out = vec![1.0; 20_000];
        assert!(rest.take(0, true, &mut out));
        out.extend([2.0; 20_000]);
        assert!(!rest.take(20_000, true, &mut out));
        assert_eq!(out.len(), 32_000);
        let mut rest = Rest::of(4_800);
        let mut out = vec![1.0; 12_800];
        assert!(!rest.take(0, true, &mut out));
        assert_eq!(out.len(), 24_000);
        assert_eq!((out[1_599], out[1_600]), (1.0, 0.0));
        let mut out = vec![1.0; 900];
        assert!(!Rest::of(4_800).take(0, false, &mut out));
        assert_eq!(out.len(), 900 + 22_400);
    }
}
