//! What a disk holds: files, their names, and every byte that was ever written.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::content::Inode;

/// A change of names that is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum Naming {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
    Dir(PathBuf),
}

impl Naming {
    pub(super) fn is_in(&self, dir: &Path) -> bool {
        match self {
            Self::Link(path, _) | Self::Unlink(path) | Self::Rename(path, _) | Self::Dir(path) => {
                path.parent() == Some(dir)
            }
        }
    }
}

/// Files and directories by their names.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) files: BTreeMap<PathBuf, usize>,
    pub(super) dirs: BTreeSet<PathBuf>,
}

impl Names {
    pub(super) fn has_dir(&self, dir: &Path) -> bool {
        dir.parent().is_none() || self.dirs.contains(dir)
    }

    pub(super) fn apply(&mut self, naming: &Naming) {
        match naming {
            Naming::Link(path, inode) => {
                self.files.insert(path.clone(), *inode);
            }
            Naming::Unlink(path) => {
                self.files.remove(path);
            }
            Naming::Rename(from, to) => {
                if let Some(inode) = self.files.remove(from) {
                    self.files.insert(to.clone(), inode);
                }
            }
            Naming::Dir(path) => {
                self.dirs.insert(path.clone());
            }
        }
    }

    /// A name in a directory that is not there leads nowhere.
    pub(super) fn prune(&mut self) {
        let lost = |path: &Path, dirs: &BTreeSet<PathBuf>| {
            let above = path.ancestors().skip(1);
            above
                .filter(|dir| dir.parent().is_some())
                .any(|dir| !dirs.contains(dir))
        };
        let all = self.dirs.clone();
        self.dirs.retain(|dir| !lost(dir, &all));
        let Self { files, dirs } = self;
        files.retain(|path, _| !lost(path, dirs));
    }
}

/// Bytes that went to a file once.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// The name it was opened with.
    pub(crate) path: Arc<Path>,
    /// The bytes of one write.
    pub(crate) bytes: Arc<[u8]>,
}

/// Everything on a disk. A copy shares all blocks with what it was made of.
#[derive(Debug, Clone, Default)]
pub(super) struct Platter {
    pub(super) inodes: Vec<Arc<Inode>>,
    pub(super) now: Names,
    pub(super) durable: Names,
    pub(super) naming: Vec<Naming>,
    pub(super) written: Vec<Written>,
    /// Bytes that all files together may have.
    pub(super) room: Option<usize>,
    /// Bytes of a file that can't be read until they are written again.
    pub(super) unreadable: Option<(usize, Range<usize>)>,
}

impl Platter {
    pub(super) fn inode(&mut self, at: usize) -> &mut Inode {
        Arc::make_mut(&mut self.inodes[at])
    }

    pub(super) fn used(&self) -> usize {
        let named = self.now.files.values();
        named.map(|at| self.inodes[*at].now.len()).sum()
    }

    pub(super) fn touches_bad(&self, inode: usize, bytes: Range<usize>) -> bool {
        let bad = self.unreadable.as_ref().filter(|(bad, _)| *bad == inode);
        bad.is_some_and(|(_, bad)| bad.start < bytes.end && bytes.start < bad.end)
    }

    pub(super) fn rename_or(&mut self, naming: Naming) {
        self.now.apply(&naming);
        self.naming.push(naming);
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) {
        let (synced, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.naming)
            .into_iter()
            .partition(|naming| naming.is_in(dir));
        self.naming = rest;
        synced.iter().for_each(|naming| self.durable.apply(naming));
    }

    /// Is the same for disks of the same files that have nothing pending.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.now.dirs.hash(&mut hasher);
        for (path, at) in &self.now.files {
            path.hash(&mut hasher);
            self.inodes[*at].now.fingerprint(&mut hasher);
        }
        hasher.finish()
    }
}
