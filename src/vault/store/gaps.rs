//! Segments that are gone for good, as the card notes them: as spans of samples.
//!
//! A card has gaps of two kinds. What a recorder missed, while the microphone was
//! away, stands between two samples and takes no segment; what was lost later is
//! whole segments. Only the latter counts here, and it is told by its edges: those of
//! a recorder's gap fall on two edges of segments once in a billion.

use std::ops::Range;

use crate::recording::{Gap, SEGMENT_SAMPLES};

const PER_SEGMENT: u64 = SEGMENT_SAMPLES as u64;

/// The segments that were lost, in order.
pub(in crate::vault) fn segments_of(gaps: &[Gap]) -> Vec<Range<u64>> {
    let mut spans: Vec<Range<u64>> = gaps
        .iter()
        .filter(|gap| {
            let is_edge = |sample: u64| sample.is_multiple_of(PER_SEGMENT);
            is_edge(gap.at_sample) && is_edge(gap.samples)
        })
        .map(|gap| {
            let from = gap.at_sample / PER_SEGMENT;
            from..from.saturating_add(gap.samples / PER_SEGMENT)
        })
        .filter(|span| !span.is_empty())
        .collect();
    spans.sort_unstable_by_key(|span| span.start);
    spans
}

/// Segments as a gap.
pub(in crate::vault) fn gap_of(segments: &Range<u64>) -> Gap {
    Gap {
        at_sample: segments.start * PER_SEGMENT,
        samples: (segments.end - segments.start) * PER_SEGMENT,
    }
}

/// Notes these segments as the ones that are lost, in the place of those that were.
pub(in crate::vault) fn put_in(gaps: &mut Vec<Gap>, lost: &[Range<u64>]) {
    gaps.retain(|gap| segments_of(std::slice::from_ref(gap)).is_empty());
    let lost = lost.iter().filter(|span| !span.is_empty());
    gaps.extend(lost.map(gap_of));
    gaps.sort_unstable_by_key(|gap| gap.at_sample);
}

/// What of these segments lies in none of the spans.
pub(in crate::vault) fn outside(segments: &Range<u64>, spans: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut left = Vec::new();
    let mut from = segments.start;
    for span in spans {
        if span.start > from {
            left.push(from..span.start.min(segments.end));
        }
        from = from.max(span.end);
        if from >= segments.end {
            return left.into_iter().filter(|span| !span.is_empty()).collect();
        }
    }
    left.push(from..segments.end);
    left.into_iter().filter(|span| !span.is_empty()).collect()
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "spans are compared, not ranges filled"
)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_the_segments_that_it_came_from_and_what_a_recorder_missed_is_none() {
        assert_eq!(
            segments_of(&[gap_of(&(3..5)), gap_of(&(0..1))]),
            [0..1, 3..5]
        );
        // A minute without a microphone, ten seconds in.
        let missed = Gap {
            at_sample: 480_000,
            samples: 2_880_000,
        };
        assert!(segments_of(&[missed]).is_empty());
    }

    #[test]
    fn other_segments_in_the_place_of_those_that_were_lost_leave_what_a_recorder_missed() {
        let missed = Gap {
            at_sample: 480_000,
            samples: 2_880_000,
        };
        let mut gaps = vec![gap_of(&(0..4)), missed, gap_of(&(20..30))];
        put_in(&mut gaps, &[1..2, 5..5]);
        assert_eq!(gaps, [gap_of(&(1..2)), missed]);
        put_in(&mut gaps, &[]);
        assert_eq!(gaps, [missed]);
    }

    #[test]
    fn what_is_noted_already_is_not_noted_again() {
        assert_eq!(outside(&(2..9), &[0..3, 5..6, 8..20]), [3..5, 6..8]);
        assert_eq!(outside(&(2..9), &[]), [2..9]);
        assert!(outside(&(2..9), &[0..9]).is_empty());
        assert_eq!(outside(&(2..9), &[10..12]), [2..9]);
    }
}
