//! Who holds an flock, on a machine. A cut of the power drops them all.

use std::collections::BTreeMap;

use crate::vault::ground::disk::Hold;

/// By file, who opened it and how he holds it.
#[derive(Debug, Default)]
pub(super) struct Flocks {
    held: BTreeMap<usize, Vec<(u64, Hold)>>,
    opened: u64,
}

impl Flocks {
    /// A number for somebody who has just opened a file.
    pub(super) fn opener(&mut self) -> u64 {
        self.opened += 1;
        self.opened
    }

    pub(super) fn try_lock(&mut self, inode: usize, opener: u64, hold: Hold) -> bool {
        let holders = self.held.entry(inode).or_default();
        let stands_in_the_way = |other: &(u64, Hold)| {
            other.0 != opener && (hold == Hold::Exclusive || other.1 == Hold::Exclusive)
        };
        if holders.iter().any(stands_in_the_way) {
            return false;
        }
        holders.retain(|(other, _)| *other != opener);
        holders.push((opener, hold));
        true
    }

    pub(super) fn close(&mut self, inode: usize, opener: u64) {
        if let Some(holders) = self.held.get_mut(&inode) {
            holders.retain(|(other, _)| *other != opener);
        }
    }
}
