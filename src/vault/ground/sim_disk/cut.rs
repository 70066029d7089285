//! What a disk holds after its power was cut: any part of what was pending.

use std::sync::Arc;

use super::content::{Pending, WHOLE};
use super::platter::Platter;

/// What survives a cut of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// All of it, as after `kill -9`.
    Kill,
    /// Nothing of it.
    LoseUnsynced,
    /// Some of it, down to single sectors; the number chooses what.
    Tear(u64),
    /// One thing alone: a block, a length or a name.
    Only(usize),
    /// Everything but one.
    AllBut(usize),
    /// The things whose bits are set.
    Subset(u64),
}

/// Up to so many pending things, each subset of them is looked at.
const FEW: usize = 4;

/// Numbers that look like chance and come again with the same seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// Below a number, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    /// Puts things into an order of its own.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for place in (1..things.len()).rev() {
            things.swap(place, self.below(place + 1));
        }
    }
}

impl Platter {
    /// How many blocks, lengths and names are pending.
    pub(super) fn pending(&self) -> usize {
        let pieces = self.inodes.iter().map(|inode| inode.pending.len());
        pieces.sum::<usize>() + self.naming.len()
    }

    /// Which cuts to look at: all subsets of a few pending things; of many both
    /// ends, single things, and what chance gives, together at most so many.
    pub(super) fn cuts(&self, seed: u64, most: usize) -> Vec<Cut> {
        let pending = self.pending();
        if pending == 0 {
            return vec![Cut::Kill];
        }
        let mut cuts = vec![Cut::Kill, Cut::LoseUnsynced];
        let mut dice = Dice::new(seed);
        if pending <= FEW && (1 << pending) <= most.max(2) {
            cuts.extend((1..(1_u64 << pending) - 1).map(Cut::Subset));
        } else {
            let singles = (0..pending).flat_map(|one| [Cut::Only(one), Cut::AllBut(one)]);
            let mut singles: Vec<Cut> = singles.collect();
            // Half of what is left; all of them, if there is room.
            let wanted = most.saturating_sub(2).div_ceil(2);
            while singles.len() > wanted {
                singles.swap_remove(dice.below(singles.len()));
            }
            cuts.extend(singles);
        }
        // Torn within a block, too.
        while cuts.len() < most {
            cuts.push(Cut::Tear(dice.next()));
        }
        cuts
    }

    /// What a machine finds that starts after the power was cut.
    pub(super) fn after(&self, cut: Cut) -> Self {
        let mut platter = self.clone();
        let mut dice = match cut {
            Cut::Tear(seed) => Dice::new(seed),
            _ => Dice::new(0),
        };
        let mut place = 0;
        // Sectors that survive: of a block some, of all else all or none.
        let mut survives = |is_block: bool| {
            let here = place;
            place += 1;
            let whole = |survives: bool| if survives { WHOLE } else { 0 };
            match cut {
                Cut::Kill => WHOLE,
                Cut::LoseUnsynced => 0,
                Cut::Only(one) => whole(here == one),
                Cut::AllBut(one) => whole(here != one),
                Cut::Subset(bits) => whole(bits >> here & 1 == 1),
                Cut::Tear(_) => match dice.below(8) {
                    0..=3 => WHOLE,
                    4 if is_block => (dice.next() & 0xff) as u8,
                    _ => 0,
                },
            }
        };
        for inode in &mut platter.inodes {
            if inode.pending.is_empty() {
                continue;
            }
            let inode = Arc::make_mut(inode);
            let pending = std::mem::take(&mut inode.pending);
            let surviving: Vec<(&Pending, u8)> = pending
                .iter()
                .map(|piece| {
                    let is_block = matches!(piece.what, Pending::Block { .. });
                    (&piece.what, survives(is_block))
                })
                .filter(|(_, sectors)| *sectors != 0)
                .collect();
            inode.durable.apply(surviving.into_iter());
            inode.now = inode.durable.clone();
        }
        for naming in std::mem::take(&mut platter.naming) {
            if survives(false) != 0 {
                platter.durable.apply(&naming);
            }
        }
        platter.durable.prune();
        platter.now = platter.durable.clone();
        platter
    }
}
