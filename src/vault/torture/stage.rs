//! A machine on which an operation runs, and what it has promised by when.

use std::cell::RefCell;
use std::sync::Arc;

use super::facts::Facts;
use crate::crypto::{Passphrase, WorkFactor};
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::ground::site::{NoObserver, Observer, Site};
use crate::vault::tests::stopped_clock;
use crate::vault::{InitOptions, OpenVault, Placement, Result, Vault};

/// Where the vault is on the disk.
pub(super) const DIR: &str = "/home/vault";

/// Guesses at the passphrase cost nothing here.
pub(super) const QUICK: InitOptions = InitOptions {
    placement: Placement::Anywhere,
    work: WorkFactor::NONE,
};

/// What was promised at a moment, and what would be next.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// How many times the disk had been changed by then.
    changes: usize,
    /// How many promises had been kept.
    pub(super) promises: usize,
    /// What holds.
    pub(super) now: Facts,
    /// What may hold instead, because it has been begun.
    pub(super) next: Option<Facts>,
    /// What may hold between the two, where what was begun does not come into force at
    /// once.
    pub(super) between: Vec<Facts>,
}

impl Told {
    /// All that may hold.
    pub(super) fn allowed(&self) -> Vec<&Facts> {
        let begun = self.next.iter().chain(&self.between);
        std::iter::once(&self.now).chain(begun).collect()
    }
}

/// A disk, and what was told to somebody who relies on it.
pub(super) struct Stage {
    pub(super) disk: SimDisk,
    told: RefCell<Vec<Told>>,
    observer: Arc<dyn Observer>,
}

impl Stage {
    pub(super) fn new(disk: SimDisk, now: Facts) -> Self {
        let told = Told {
            changes: 0,
            promises: 0,
            now,
            next: None,
            between: Vec::new(),
        };
        Self {
            disk,
            told: RefCell::new(vec![told]),
            observer: Arc::new(NoObserver),
        }
    }

    /// The same vault on a machine of its own.
    pub(super) fn fork(&self) -> Self {
        Self::new(self.disk.fork(), self.facts())
    }

    /// The same, with somebody who watches rotations.
    pub(super) fn watched_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    pub(super) fn facts(&self) -> Facts {
        self.last().now
    }

    pub(super) fn last(&self) -> Told {
        self.told.borrow().last().expect("a first one").clone()
    }

    /// What had been told when the disk had been changed so many times.
    pub(super) fn told_at(&self, changes: usize) -> Told {
        let told = self.told.borrow();
        let by_then = told.iter().rev().find(|told| told.changes <= changes);
        by_then.expect("a first one").clone()
    }

    /// Something is begun: after a cut it may be done or not.
    pub(super) fn will(&self, change: impl FnOnce(&mut Facts)) {
        let mut next = self.facts();
        change(&mut next);
        self.tell(0, self.facts(), Some(next));
    }

    /// Cut short, what was begun may be done as far as that.
    pub(super) fn may(&self, change: impl FnOnce(&mut Facts)) {
        let mut told = self.last();
        let mut between = told.now.clone();
        change(&mut between);
        told.between.push(between);
        self.told.borrow_mut().push(told);
    }

    /// What was begun is done: from now on it can be relied on.
    pub(super) fn did(&self) {
        let next = self.last().next.expect("something that was begun");
        self.tell(1, next, None);
    }

    fn tell(&self, promises: usize, now: Facts, next: Option<Facts>) {
        let told = Told {
            changes: self.disk.changes(),
            promises: self.last().promises + promises,
            now,
            next,
            between: Vec::new(),
        };
        self.told.borrow_mut().push(told);
    }

    pub(super) fn site(&self) -> Site {
        Site {
            observer: Arc::clone(&self.observer),
            ..site(&self.disk)
        }
    }

    pub(super) fn vault(&self) -> Result<Vault> {
        Vault::open_at(self.site())
    }

    pub(super) fn open(&self) -> Result<OpenVault> {
        let passphrase = self.facts().passphrase.expect("a vault");
        self.vault()?.unlock(&secret(passphrase))
    }
}

/// The vault on a disk.
pub(super) fn site(disk: &SimDisk) -> Site {
    Site {
        disk: Arc::new(disk.clone()),
        dir: DIR.into(),
        state_dir: Some("/home/state".into()),
        observer: Arc::new(NoObserver),
        clock: stopped_clock(),
    }
}

pub(super) fn secret(passphrase: &str) -> Passphrase {
    Passphrase::new(passphrase.to_owned())
}
