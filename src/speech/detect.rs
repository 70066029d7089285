//! Finds where somebody speaks: a score for every 16 ms, and from the scores
//! spans of speech.
//!
//! The scores are earshot's, a small network without a model file. It takes
//! music and babble for speech, so that whatever it lets through is judged
//! again after Whisper. It rarely drops a word.

use earshot::Detector;

/// Samples per second of everything that is listened to.
pub const SPEECH_RATE_HZ: u32 = 16_000;
/// Samples in a frame: 16 ms.
pub const FRAME_SAMPLES: usize = 256;

/// Speech begins with a frame of at least this score.
pub const SPEECH_ON: f32 = 0.5;
/// Speech may end with a frame below this score.
pub const SPEECH_OFF: f32 = 0.35;

/// 300 ms below [`SPEECH_OFF`] end a span.
const SILENCE_FRAMES: u64 = 19;
/// Shorter spans than 100 ms are no speech.
const SHORTEST_FRAMES: u64 = 7;
/// A span is cut at its quietest place before it gets longer than 19.5 s.
const LONGEST_FRAMES: u64 = 1218;
/// How wide a place is looked at when the quietest is sought: 144 ms.
const PLACE_FRAMES: usize = 9;

/// Scores sound, frame by frame.
pub struct VoiceDetector {
    network: Box<Detector>,
    frame: Vec<f32>,
}

impl Default for VoiceDetector {
    fn default() -> Self {
        Self {
            network: Detector::default_boxed(),
            frame: Vec::with_capacity(FRAME_SAMPLES),
        }
    }
}

impl VoiceDetector {
    /// Takes the next samples (mono, -1 to 1, 16 kHz) and hands on the score
    /// of every frame that they complete: 0 for no voice, 1 for a voice.
    pub fn push(&mut self, samples: &[f32], each: &mut dyn FnMut(f32)) {
        for sample in samples {
            // The network wants numbers within -1 and 1; decoders overshoot.
            let sane = if sample.is_finite() {
                sample.clamp(-1.0, 1.0)
            } else {
                0.0
            };
            self.frame.push(sane);
            if self.frame.len() == FRAME_SAMPLES {
                each(self.network.predict_f32(&self.frame));
                self.frame.clear();
            }
        }
    }
}

/// A stretch of speech, counted in samples at 16 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// Makes spans of scores.
#[derive(Debug, Default)]
pub(super) struct Spans {
    frames: u64,
    open: Option<Open>,
}

/// A span that has not ended yet.
#[derive(Debug)]
struct Open {
    start: u64,
    scores: Vec<f32>,
    quiet_since: Option<u64>,
}

impl Spans {
    /// Takes the next frame's score; answers with a span that it ended.
    pub(super) fn push(&mut self, score: f32) -> Option<Span> {
        let now = self.frames;
        self.frames += 1;
        let Some(open) = &mut self.open else {
            if score >= SPEECH_ON {
                self.open = Some(Open {
                    start: now,
                    scores: vec![score],
                    quiet_since: None,
                });
            }
            return None;
        };
        open.scores.push(score);
        if score >= SPEECH_ON {
            open.quiet_since = None;
        } else if score < SPEECH_OFF {
            let since = *open.quiet_since.get_or_insert(now);
            if now + 1 - since >= SILENCE_FRAMES {
                let start = open.start;
                self.open = None;
                return span(start, since);
            }
        }
        (open.scores.len() as u64 >= LONGEST_FRAMES).then(|| open.split())
    }

    /// The sound has ended; answers with the span that was open.
    pub(super) fn finish(&mut self) -> Option<Span> {
        let open = self.open.take()?;
        span(open.start, open.quiet_since.unwrap_or(self.frames))
    }

    /// Where the next span begins at the earliest, in samples.
    pub(super) fn next_start(&self) -> u64 {
        self.open.as_ref().map_or(self.frames, |open| open.start) * FRAME_SAMPLES as u64
    }
}

impl Open {
    /// Cuts at the quietest place of the last third and stays open after it.
    fn split(&mut self) -> Span {
        let first = self.scores.len() * 2 / 3;
        let loudness = |place: &[f32]| place.iter().sum::<f32>();
        let quietest = self.scores[first..]
            .windows(PLACE_FRAMES)
            .enumerate()
            .min_by(|(_, one), (_, other)| loudness(one).total_cmp(&loudness(other)))
            .map_or(0, |(place, _)| place);
        let cut = first + quietest + PLACE_FRAMES / 2;
        let middle = self.start + cut as u64;
        let before = Span {
            start: samples(self.start),
            end: samples(middle),
        };
        self.scores.drain(..cut);
        self.start = middle;
        self.quiet_since = self.quiet_since.map(|since| since.max(middle));
        before
    }
}

const fn samples(frame: u64) -> u64 {
    frame * FRAME_SAMPLES as u64
}

fn span(start: u64, end: u64) -> Option<Span> {
    (end >= start + SHORTEST_FRAMES).then(|| Span {
        start: samples(start),
        end: samples(end),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(scores: impl IntoIterator<Item = f32>) -> Vec<(u64, u64)> {
        let mut spans = Spans::default();
        let mut found: Vec<Span> = scores
            .into_iter()
            .filter_map(|score| spans.push(score))
            .collect();
        found.extend(spans.finish());
        let frame = |sample| sample / FRAME_SAMPLES as u64;
        found
            .iter()
            .map(|span| (frame(span.start), frame(span.end)))
            .collect()
    }

    fn run(score: f32, frames: usize) -> Vec<f32> {
        vec![score; frames]
    }

    #[test]
    fn speech_begins_at_the_upper_threshold_and_ends_at_the_lower() {
        assert_eq!(spans(run(0.49, 100)), []);
        let talk = [run(0.0, 10), run(0.9, 20), run(0.4, 40), run(0.1, 30)].concat();
        assert_eq!(spans(talk), [(10, 70)]);
    }

    #[test]
    fn a_pause_under_300_ms_does_not_end_it() {
        let talk = [run(0.9, 20), run(0.1, 18), run(0.9, 20), run(0.1, 30)].concat();
        assert_eq!(spans(talk), [(0, 58)]);
    }

    #[test]
    fn a_click_is_no_speech() {
        assert_eq!(spans([run(0.9, 6), run(0.0, 40)].concat()), []);
    }

    #[test]
    fn endless_speech_is_cut_at_its_quietest_place() {
        let talk = [run(0.9, 1000), run(0.6, 9), run(0.9, 900)].concat();
        assert_eq!(spans(talk), [(0, 1004), (1004, 1909)]);
    }

    #[test]
    fn silence_is_no_speech_and_broken_samples_do_no_harm() {
        let mut detector = VoiceDetector::default();
        let mut scores = Vec::new();
        let mut sound = vec![0.0; 16_000];
        sound.extend([f32::NAN, f32::INFINITY, 7.0, -7.0]);
        sound.extend(vec![0.0; 16_000]);
        detector.push(&sound, &mut |score| scores.push(score));
        assert_eq!(scores.len(), sound.len() / FRAME_SAMPLES);
        assert!(scores.iter().all(|score| *score < SPEECH_ON), "{scores:?}");
    }
}
