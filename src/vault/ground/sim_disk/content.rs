//! The bytes of one file: as they are read, as they are on the platter, and
//! what lies between.
//!
//! Bytes are kept in blocks that copies share, so that a disk can be copied
//! thousands of times.

use std::sync::Arc;

/// What a page cache writes in one go.
pub(super) const BLOCK: usize = 4096;
/// What a disk writes as a whole or not at all.
const SECTOR: usize = 512;
/// All sectors of a block.
pub(super) const WHOLE: u8 = 0xff;

type Block = Arc<[u8; BLOCK]>;

/// Bytes in blocks; one that is not there is full of zeros.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    blocks: Vec<Option<Block>>,
    length: usize,
}

impl Content {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Fills `out` from an offset; `false` where the file ends before.
    pub(super) fn read(&self, at: usize, out: &mut [u8]) -> bool {
        if at.saturating_add(out.len()) > self.length {
            return false;
        }
        let mut done = 0;
        while done < out.len() {
            let (index, from) = ((at + done) / BLOCK, (at + done) % BLOCK);
            let piece = (BLOCK - from).min(out.len() - done);
            match self.blocks.get(index) {
                Some(Some(block)) => {
                    out[done..done + piece].copy_from_slice(&block[from..from + piece]);
                }
                _ => out[done..done + piece].fill(0),
            }
            done += piece;
        }
        true
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.length];
        self.read(0, &mut bytes);
        bytes
    }

    /// Writes, and tells what became of each block that was touched.
    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) -> Vec<Pending> {
        let mut pending = Vec::new();
        if at + bytes.len() > self.length {
            self.set_len(at + bytes.len());
            pending.push(Pending::Length(self.length));
        }
        let mut done = 0;
        while done < bytes.len() {
            let (index, from) = ((at + done) / BLOCK, (at + done) % BLOCK);
            let piece = (BLOCK - from).min(bytes.len() - done);
            let mut block = self.block(index);
            Arc::make_mut(&mut block)[from..from + piece]
                .copy_from_slice(&bytes[done..done + piece]);
            self.put(index, Arc::clone(&block));
            let (first, last) = (from / SECTOR, (from + piece - 1) / SECTOR);
            let sectors = (first..=last).fold(0, |mask, sector| mask | 1 << sector);
            pending.push(Pending::Block {
                index,
                sectors,
                block,
            });
            done += piece;
        }
        pending
    }

    /// Cuts it, or lengthens it with zeros.
    pub(super) fn set_len(&mut self, length: usize) {
        if length < self.length {
            self.forget_behind(length);
        }
        self.length = length;
        self.blocks.resize(length.div_ceil(BLOCK), None);
    }

    /// Does some of what was pending, in its order. What lies behind the end
    /// shows when a later change of the length reaches it.
    pub(super) fn apply<'a>(&mut self, pending: impl Iterator<Item = (&'a Pending, u8)>) {
        for (pending, surviving) in pending {
            match pending {
                Pending::Block {
                    index,
                    sectors,
                    block,
                } => self.apply_block(*index, sectors & surviving, block),
                Pending::Length(length) => {
                    if *length < self.length {
                        self.forget_behind(*length);
                    }
                    self.length = *length;
                }
            }
        }
        self.blocks.truncate(self.length.div_ceil(BLOCK));
        self.forget_behind(self.length);
        self.blocks.resize(self.length.div_ceil(BLOCK), None);
    }

    fn apply_block(&mut self, index: usize, sectors: u8, new: &Block) {
        if self.blocks.len() <= index {
            self.blocks.resize(index + 1, None);
        }
        let mut block = self.block(index);
        let place = Arc::make_mut(&mut block);
        for sector in (0..BLOCK / SECTOR).filter(|sector| sectors >> sector & 1 == 1) {
            let range = sector * SECTOR..(sector + 1) * SECTOR;
            place[range.clone()].copy_from_slice(&new[range]);
        }
        // Equal images share their blocks, by which they are known as equal.
        let same = *block == **new;
        self.put(index, if same { Arc::clone(new) } else { block });
    }

    /// A file system never shows what stood behind the end.
    fn forget_behind(&mut self, length: usize) {
        self.blocks.truncate(length.div_ceil(BLOCK));
        let inside = length % BLOCK;
        let is_clean = |block: &Block| block[inside..].iter().all(|byte| *byte == 0);
        if inside > 0
            && let Some(Some(block)) = self.blocks.get_mut(length / BLOCK)
            && !is_clean(block)
        {
            Arc::make_mut(block)[inside..].fill(0);
        }
    }

    fn block(&self, index: usize) -> Block {
        match self.blocks.get(index) {
            Some(Some(block)) => Arc::clone(block),
            _ => Arc::new([0; BLOCK]),
        }
    }

    fn put(&mut self, index: usize, block: Block) {
        self.blocks[index] = Some(block);
    }

    /// Takes blocks of another state of the same file as they are there.
    pub(super) fn take_blocks(&mut self, other: &Self, indices: impl Iterator<Item = usize>) {
        self.length = other.length;
        self.blocks.truncate(other.blocks.len());
        self.forget_behind(self.length);
        self.blocks.resize(other.blocks.len(), None);
        for index in indices.filter(|index| *index < other.blocks.len()) {
            self.blocks[index].clone_from(&other.blocks[index]);
        }
    }

    /// Where blocks begin with these bytes.
    pub(super) fn blocks_starting(&self, with: &[u8]) -> Vec<usize> {
        let starts = |block: &Option<Block>| block.as_ref().is_some_and(|b| b.starts_with(with));
        let found = self.blocks.iter().enumerate();
        found
            .filter(|(_, block)| starts(block))
            .map(|(index, _)| index * BLOCK)
            .collect()
    }

    /// Is the same for contents that share all their blocks.
    pub(super) fn fingerprint(&self, hasher: &mut impl std::hash::Hasher) {
        hasher.write_usize(self.length);
        for block in &self.blocks {
            hasher.write_usize(block.as_ref().map_or(0, |block| Arc::as_ptr(block).addr()));
        }
    }
}

/// A change that is not on the platter yet.
#[derive(Debug, Clone)]
pub(super) enum Pending {
    /// Sectors of a block, which are as in this block once they are written.
    Block {
        index: usize,
        sectors: u8,
        block: Block,
    },
    /// The length.
    Length(usize),
}

/// A file. It has no name of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Inode {
    /// As it is read.
    pub(super) now: Content,
    /// As it was last synced.
    pub(super) durable: Content,
    pub(super) pending: Vec<Piece>,
}

/// A pending change, and whether anybody still means to write it.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) what: Pending,
    pub(super) adrift: Adrift,
}

/// What a sync that failed leaves: pages that count as clean, whether they were
/// written or not. A later sync that succeeds says nothing about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adrift {
    No,
    Yes,
}

impl Inode {
    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        let pending = self.now.write(at, bytes);
        self.add(pending);
    }

    pub(super) fn set_len(&mut self, length: usize) {
        self.now.set_len(length);
        self.add(vec![Pending::Length(length)]);
    }

    fn add(&mut self, pending: Vec<Pending>) {
        self.pending.extend(pending.into_iter().map(|what| Piece {
            what,
            adrift: Adrift::No,
        }));
    }

    /// Writes everything that still counts as dirty, a block at a time: what is
    /// adrift in the same block gets there with it.
    pub(super) fn sync(&mut self) {
        let dirty: std::collections::BTreeSet<usize> = self
            .pending
            .iter()
            .filter(|piece| piece.adrift == Adrift::No)
            .filter_map(|piece| match piece.what {
                Pending::Block { index, .. } => Some(index),
                Pending::Length(_) => None,
            })
            .collect();
        self.durable.take_blocks(&self.now, dirty.iter().copied());
        self.pending.retain(|piece| match &piece.what {
            Pending::Block { index, .. } => !dirty.contains(index),
            Pending::Length(_) => false,
        });
    }

    /// What a sync that fails does.
    pub(super) fn fail_to_sync(&mut self) {
        for piece in &mut self.pending {
            piece.adrift = Adrift::Yes;
        }
    }

    /// As all of it was durable.
    pub(super) fn settle(&mut self) {
        self.durable = self.now.clone();
        self.pending.clear();
    }
}
