//! Segments that are gone for good, as the card notes them: as spans of samples.

use std::ops::Range;

use crate::recording::{Gap, SEGMENT_SAMPLES};

const PER_SEGMENT: u64 = SEGMENT_SAMPLES as u64;

/// The segments that lie in one of these gaps from their first sample to their
/// last, in order.
pub(in crate::vault) fn segments_of(gaps: &[Gap]) -> Vec<Range<u64>> {
    let mut spans: Vec<Range<u64>> = gaps
        .iter()
        .map(|gap| {
            let end = gap.at_sample.saturating_add(gap.samples);
            gap.at_sample.div_ceil(PER_SEGMENT)..end / PER_SEGMENT
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
    fn a_gap_is_the_segments_that_it_came_from_and_half_a_segment_is_none() {
        assert_eq!(
            segments_of(&[gap_of(&(3..5)), gap_of(&(0..1))]),
            [0..1, 3..5]
        );
        let half = Gap {
            at_sample: PER_SEGMENT + 1,
            samples: 2 * PER_SEGMENT,
        };
        assert_eq!(segments_of(&[half]), [2..3]);
    }

    #[test]
    fn what_is_noted_already_is_not_noted_again() {
        assert_eq!(outside(&(2..9), &[0..3, 5..6, 8..20]), [3..5, 6..8]);
        assert_eq!(outside(&(2..9), &[]), [2..9]);
        assert!(outside(&(2..9), &[0..9]).is_empty());
        assert_eq!(outside(&(2..9), &[10..12]), [2..9]);
    }
}
