//! Cuts sound into the pieces that Whisper gets: speech, packed up to 15 s.
//!
//! A piece is one uncut stretch of the recording, its short pauses included,
//! so that times within it are times within the recording but for an offset.
//! Short lonely pieces with little context make Whisper loop, and cuts in the
//! middle of a sentence cost words; hence the packing. Nothing is kept that
//! can't be needed any more, so an hour takes no more memory than a minute.

use super::detect::{SPEECH_RATE_HZ, Span, Spans, VoiceDetector};

const fn ms(milliseconds: u64) -> u64 {
    milliseconds * SPEECH_RATE_HZ as u64 / 1000
}

/// Sound added before and behind speech.
const PADDING: u64 = ms(200);
/// Speech further apart than this is never in one piece.
const WIDEST_GAP: u64 = ms(3_000);
/// A piece is full at this length…
const FULL: u64 = ms(15_000);
/// …but is not cut at a pause shorter than this…
const SHORTEST_CUT: u64 = ms(600);
/// …unless it would grow beyond this. Whisper would take 30 s, but its state
/// grows with the square of the longest piece (an hour with tiny.en and two
/// workers: 334 MiB at 28 s, 300 MiB at 20 s), and a minute of speech without
/// a pause came out better: 6 words of 220 wrong instead of 15.
const LONGEST: u64 = ms(20_000);

/// A stretch of sound for Whisper.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    /// Where it begins in the recording, samples at 16 kHz.
    pub(super) start: u64,
    /// Its samples, mono at 16 kHz.
    pub(super) sound: Vec<f32>,
}

/// Packs spans of speech; pure.
#[derive(Debug, Default)]
struct Packer {
    spans: Vec<Span>,
    /// Up to here sound was already handed out.
    taken: u64,
}

impl Packer {
    /// Takes the next span; hands out what is complete by that.
    fn push(&mut self, span: Span, out: &mut Vec<Span>) {
        while let Some(cut) = self.cut_before(span) {
            let next = self.spans.get(cut).copied().unwrap_or(span);
            out.push(self.take(cut, next.start));
        }
        self.spans.push(span);
    }

    /// Nothing is said before `next_start`: hands out what can't grow any more.
    fn pass(&mut self, next_start: u64, out: &mut Vec<Span>) {
        if self
            .spans
            .last()
            .is_some_and(|last| next_start.saturating_sub(last.end) > WIDEST_GAP)
        {
            out.push(self.take(self.spans.len(), next_start));
        }
    }

    /// The sound has ended after `length` samples.
    fn finish(&mut self, length: u64, out: &mut Vec<Span>) {
        if !self.spans.is_empty() {
            let mut rest = self.take(self.spans.len(), u64::MAX);
            rest.end = rest.end.min(length).max(rest.start);
            out.push(rest);
        }
    }

    /// How many of the spans must be handed out before this one is taken;
    /// `None` when it joins them.
    fn cut_before(&self, span: Span) -> Option<usize> {
        let (first, last) = (self.spans.first()?, self.spans.last()?);
        let gap = span.start.saturating_sub(last.end);
        let length = span.end.saturating_sub(first.start) + 2 * PADDING;
        if gap > WIDEST_GAP || (gap >= SHORTEST_CUT && length > FULL) {
            return Some(self.spans.len());
        }
        if length <= LONGEST {
            return None;
        }
        // Only short pauses to choose from: the widest of the later half.
        let gap_before = |index: usize| {
            let next = self.spans.get(index).unwrap_or(&span);
            next.start.saturating_sub(self.spans[index - 1].end)
        };
        (self.spans.len() / 2 + 1..=self.spans.len()).max_by_key(|index| gap_before(*index))
    }

    /// Hands out the first `count` spans as one, padded into the pauses.
    fn take(&mut self, count: usize, next_start: u64) -> Span {
        let first = self.spans.first().map_or(self.taken, |span| span.start);
        let last = self
            .spans
            .get(count.wrapping_sub(1))
            .map_or(first, |span| span.end);
        self.spans.drain(..count);
        let start = first.saturating_sub(PADDING).max(self.taken);
        // Two pieces share the pause between them.
        let end = (last + PADDING).min(last + next_start.saturating_sub(last) / 2);
        self.taken = end;
        Span { start, end }
    }

    /// From where on sound may still be handed out, when nothing is said
    /// before `next_start`.
    fn needs_from(&self, next_start: u64) -> u64 {
        let first = self.spans.first().map_or(next_start, |span| span.start);
        first.saturating_sub(PADDING).max(self.taken)
    }
}

/// Listens to sound as it comes and cuts it into pieces.
#[derive(Default)]
pub(super) struct Cutter {
    detector: VoiceDetector,
    spans: Spans,
    packer: Packer,
    /// What was heard from `kept_from` on.
    sound: Vec<f32>,
    kept_from: u64,
}

/// Moving what is kept to the front is worth it from here on.
const SPARE: u64 = ms(10_000);

impl Cutter {
    /// Takes the next samples; adds the pieces that are complete by them.
    pub(super) fn push(&mut self, samples: &[f32], out: &mut Vec<Piece>) {
        self.sound.extend_from_slice(samples);
        let mut ready = Vec::new();
        let (spans, packer) = (&mut self.spans, &mut self.packer);
        self.detector.push(samples, &mut |score| {
            if let Some(span) = spans.push(score) {
                packer.push(span, &mut ready);
            }
        });
        let next_start = self.spans.next_start();
        self.packer.pass(next_start, &mut ready);
        out.extend(ready.into_iter().map(|span| self.piece(span)));
        self.forget(self.packer.needs_from(next_start));
    }

    /// The sound has ended; adds what is left.
    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) {
        let mut ready = Vec::new();
        if let Some(span) = self.spans.finish() {
            self.packer.push(span, &mut ready);
        }
        self.packer
            .finish(self.kept_from + self.sound.len() as u64, &mut ready);
        out.extend(ready.into_iter().map(|span| self.piece(span)));
    }

    fn piece(&self, span: Span) -> Piece {
        let at = |sample: u64| {
            usize::try_from(sample.saturating_sub(self.kept_from))
                .unwrap_or(usize::MAX)
                .min(self.sound.len())
        };
        Piece {
            start: span.start,
            sound: self.sound[at(span.start)..at(span.end)].to_vec(),
        }
    }

    fn forget(&mut self, needed: u64) {
        let spare = needed
            .saturating_sub(self.kept_from)
            .min(self.sound.len() as u64);
        if spare >= SPARE {
            self.sound.drain(..spare as usize);
            self.kept_from += spare;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(spans: &[Span], length: u64) -> Vec<Span> {
        let mut packer = Packer::default();
        let mut out = Vec::new();
        for span in spans {
            packer.pass(span.start, &mut out);
            packer.push(*span, &mut out);
        }
        packer.finish(length, &mut out);
        out
    }

    const fn said(start_ms: u64, end_ms: u64) -> Span {
        Span {
            start: ms(start_ms),
            end: ms(end_ms),
        }
    }

    #[test]
    fn sentences_are_packed_until_a_piece_is_full() {
        let spans = [
            said(1_000, 6_000),
            said(7_000, 12_000),
            said(13_000, 19_000),
        ];
        let wanted = [said(800, 12_200), said(12_800, 19_200)];
        assert_eq!(pack(&spans, ms(60_000)), wanted);
    }

    #[test]
    fn a_wide_gap_parts_pieces_and_is_not_transcribed() {
        let spans = [said(1_000, 2_000), said(5_100, 6_000)];
        assert_eq!(
            pack(&spans, ms(60_000)),
            [said(800, 2_200), said(4_900, 6_200)]
        );
    }

    #[test]
    fn a_short_pause_is_not_cut_at_while_the_piece_may_grow() {
        let spans = [said(0, 14_000), said(14_400, 19_000)];
        assert_eq!(pack(&spans, ms(19_100)), [said(0, 19_100)]);
    }

    #[test]
    fn what_would_get_too_long_is_cut_at_its_widest_pause() {
        let spans = [
            said(0, 9_000),
            said(9_300, 18_000),
            said(18_500, 24_000),
            said(24_350, 34_000),
        ];
        assert_eq!(
            pack(&spans, ms(40_000)),
            [said(0, 18_200), said(18_300, 34_200)]
        );
    }

    fn speech() -> impl Strategy<Value = Vec<Span>> {
        proptest::collection::vec((0_u64..8_000, 100_u64..19_500), 0..40).prop_map(|parts| {
            let mut now = 0;
            parts
                .into_iter()
                .map(|(pause, talk)| {
                    let start = now + pause;
                    now = start + talk;
                    said(start, now)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn all_that_is_said_is_in_exactly_one_piece(spans in speech()) {
            let length = spans.last().map_or(0, |last| last.end);
            let pieces = pack(&spans, length);
            for span in &spans {
                let holders =
                    pieces.iter().filter(|piece| piece.start <= span.start && span.end <= piece.end);
                prop_assert_eq!(holders.count(), 1, "{:?} in {:?}", span, &pieces);
            }
        }

        #[test]
        fn pieces_are_short_enough_in_order_and_apart(spans in speech()) {
            let length = spans.last().map_or(0, |last| last.end);
            let pieces = pack(&spans, length);
            for piece in &pieces {
                prop_assert!(piece.start < piece.end && piece.end <= length);
                prop_assert!(piece.end - piece.start <= LONGEST);
            }
            for pair in pieces.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start);
            }
        }
    }
}
