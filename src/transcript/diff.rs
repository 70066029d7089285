//! What changed between two transcript versions, word by word.
//!
//! Words are compared as they are written, punctuation included: a version that
//! only moved a comma differs there and nowhere else. How it is coloured is up
//! to who shows it.

use similar::{Algorithm, DiffOp};

use super::Transcript;

/// A run of words and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// In both versions.
    Same(String),
    /// Only in the older one.
    Removed(String),
    /// Only in the newer one.
    Added(String),
}

/// The changes from `old` to `new`, in order; what was removed stands before
/// what was put in its place.
#[must_use]
pub fn words(old: &Transcript, new: &Transcript) -> Vec<Change> {
    let (old, new) = (split(old), split(new));
    let run = |words: &[&str], from: usize, len: usize| {
        words.get(from..from + len).unwrap_or_default().join(" ")
    };
    let mut changes = Vec::new();
    for op in similar::capture_diff_slices(Algorithm::Myers, &old, &new) {
        match op {
            DiffOp::Equal { old_index, len, .. } => {
                changes.push(Change::Same(run(&old, old_index, len)));
            }
            DiffOp::Delete {
                old_index, old_len, ..
            } => {
                changes.push(Change::Removed(run(&old, old_index, old_len)));
            }
            DiffOp::Insert {
                new_index, new_len, ..
            } => {
                changes.push(Change::Added(run(&new, new_index, new_len)));
            }
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => {
                changes.push(Change::Removed(run(&old, old_index, old_len)));
                changes.push(Change::Added(run(&new, new_index, new_len)));
            }
        }
    }
    changes
}

fn split(transcript: &Transcript) -> Vec<&str> {
    transcript
        .segments
        .iter()
        .flat_map(|segment| segment.text.split_whitespace())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{any_transcript, spoken};
    use super::*;

    #[test]
    fn a_misheard_word_is_the_only_change() {
        let old = spoken(&[(0, 1, "tomato monsters"), (1, 2, "day at noon")]);
        let new = spoken(&[(0, 2, "tomatoes on Thursday at noon")]);
        assert_eq!(
            words(&old, &new),
            [
                Change::Removed("tomato monsters day".to_owned()),
                Change::Added("tomatoes on Thursday".to_owned()),
                Change::Same("at noon".to_owned()),
            ]
        );
    }

    proptest! {
        #[test]
        fn the_changes_hold_both_versions(old in any_transcript(), new in any_transcript()) {
            let changes = words(&old, &new);
            let side = |keep: fn(&Change) -> Option<&str>| {
                changes.iter().filter_map(keep).collect::<Vec<_>>().join(" ")
            };
            let before = side(|change| match change {
                Change::Same(run) | Change::Removed(run) => Some(run),
                Change::Added(_) => None,
            });
            let after = side(|change| match change {
                Change::Same(run) | Change::Added(run) => Some(run),
                Change::Removed(_) => None,
            });
            prop_assert_eq!(before, split(&old).join(" "));
            prop_assert_eq!(after, split(&new).join(" "));
        }
    }
}
