//! The backups that the vault remembers, and what each of them holds.
//!
//! Two questions are asked of a backup, and each errs to the safe side. A receipt asks
//! what it may hold, so a run counts from before its first byte. Who asks what is safe
//! in it counts a run once it came to its end.

use serde::{Deserialize, Serialize};

use super::Clip;

/// A backup that was made, so that a receipt can name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBackup {
    /// Its own name, which stands in each of its segments: two disks that are mounted
    /// at the same place in turn are two backups. Zeros for streams, which are noted
    /// together.
    pub id: [u8; 16],
    /// Where it was written; `-` for a stream that went elsewhere.
    pub path: String,
    /// When, milliseconds since 1970-01-01T00:00:00Z.
    pub made_at_ms: i64,
    /// The generation of the vault that it may hold: every recording that came with
    /// this one or before, and was not dropped from the backup since.
    pub generation: u64,
    /// The generation that it holds for certain, because the run that wrote it came to
    /// its end; 0 until one did.
    pub finished: u64,
    /// Recordings that were destroyed since, and that it still holds. A repack counts
    /// them off.
    pub destroyed: u32,
    /// How many segments it has, and the hash of the last of them as it lies there:
    /// one that lacks them was cut off or put back from a copy. Nothing until its
    /// first run has come to its end.
    pub end: Option<BackupEnd>,
    /// The ways in of which it has a copy, by the names of their slots.
    pub slots: Vec<String>,
}

/// Where a backup ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupEnd {
    /// The number of its last segment.
    pub segments: u32,
    /// SHA-256 of that segment's file.
    pub hash: [u8; 32],
}

impl KnownBackup {
    /// Whether nothing was ever written to it from here: it is known because something came
    /// from it. A run notes the ways in before its first byte.
    #[must_use]
    pub fn is_source_only(&self) -> bool {
        self.end.is_none() && self.finished == 0 && self.slots.is_empty()
    }

    /// Whether something that no backup before this generation holds may be in it.
    #[must_use]
    pub fn may_hold(&self, since: u64) -> bool {
        self.generation >= since
    }

    /// Whether this recording is in it for certain.
    #[must_use]
    pub fn holds(&self, clip: &Clip) -> bool {
        clip.extent.is_some() && self.finished >= clip.came
    }

    /// The keys to this recording are destroyed: what the backup holds of it stays.
    pub fn outlive(&mut self, clip: &Clip) {
        if self.may_hold(clip.in_backups_since()) {
            self.destroyed = self.destroyed.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::crypto::ClipKeys;
    use crate::vault::keys::bag::Extent;

    fn clip(since: u64, came: u64) -> Clip {
        Clip {
            since,
            came,
            extent: Some(Extent {
                segments: 1,
                hash: [0; 32],
            }),
            ..Clip::adopted(ClipKeys::generate().unwrap(), 0)
        }
    }

    fn backup(generation: u64, finished: u64) -> KnownBackup {
        KnownBackup {
            id: [1; 16],
            path: "/media/disk".into(),
            made_at_ms: 0,
            generation,
            finished,
            destroyed: 0,
            end: None,
            slots: Vec::new(),
        }
    }

    #[test]
    fn a_run_that_was_cut_short_may_hold_what_is_new_and_does_not_for_certain() {
        let (old, new) = (clip(3, 3), clip(8, 8));
        let mut cut_short = backup(9, 5);
        assert!(cut_short.holds(&old) && !cut_short.holds(&new));
        assert!(cut_short.may_hold(new.in_backups_since()));
        cut_short.outlive(&new);
        assert_eq!(cut_short.destroyed, 1);
        assert!(backup(9, 9).holds(&new));
        // One that was not there yet is in none.
        let mut before = backup(5, 5);
        before.outlive(&new);
        assert_eq!(before.destroyed, 0);
    }

    #[test]
    fn one_that_came_back_from_a_backup_may_be_in_any_and_is_in_those_finished_since() {
        let back = clip(0, 8);
        let mut older = backup(5, 5);
        assert!(older.may_hold(back.in_backups_since()) && !older.holds(&back));
        older.outlive(&back);
        assert_eq!(older.destroyed, 1);
        assert!(backup(8, 8).holds(&back));
    }

    #[test]
    fn what_waits_in_the_inbox_is_in_no_backup() {
        let waiting = Clip {
            extent: None,
            ..clip(0, 0)
        };
        let mut backup = backup(9, 9);
        backup.outlive(&waiting);
        assert!(!backup.holds(&waiting) && backup.destroyed == 0);
    }
}
