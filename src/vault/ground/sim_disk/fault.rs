//! Operations that are made to fail, and a power cut that stops everything.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// EIO: the disk can't do it. A write is done in part.
    Broken,
    /// ENOSPC; only operations that may need room fail with it.
    Full,
}

/// For how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// That operation alone.
    Once,
    /// That one and all after it.
    FromThenOn,
}

/// An operation that fails, counted from 0.
#[derive(Debug, Clone, Copy)]
struct Fault {
    at: usize,
    trouble: Trouble,
    lasting: Lasting,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// It reads only.
    Look,
    /// It changes something, and may need room for that.
    Grow,
    /// It changes something where it is.
    Change,
    /// It gives up a name.
    Remove,
}

/// What goes wrong with a machine.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Operations of every kind so far.
    pub(super) operations: usize,
    /// Those of them that changed something.
    pub(super) changes: usize,
    fault: Option<Fault>,
    hit: usize,
    /// Changes left until the power is cut.
    left: Option<usize>,
    cut: bool,
    /// A file of which no byte can be written.
    broken: Option<PathBuf>,
}

impl Faults {
    pub(super) fn fail(&mut self, at: usize, trouble: Trouble, lasting: Lasting) {
        self.fault = Some(Fault {
            at,
            trouble,
            lasting,
        });
        self.hit = 0;
    }

    /// How many operations were made to fail.
    pub(super) fn hit(&self) -> usize {
        self.hit
    }

    pub(super) fn cut_after(&mut self, changes: usize) {
        self.left = Some(changes);
    }

    pub(super) fn was_cut(&self) -> bool {
        self.cut
    }

    pub(super) fn break_writes(&mut self, path: Option<&Path>) {
        self.broken = path.map(Path::to_owned);
    }

    /// Counts an operation, and refuses it if it is to fail.
    pub(super) fn count(&mut self, path: &Path, does: Does) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        let fails = |fault: &Fault| {
            let is_due = match fault.lasting {
                Lasting::Once => number == fault.at,
                Lasting::FromThenOn => number >= fault.at,
            };
            is_due
                && match fault.trouble {
                    Trouble::Broken => true,
                    Trouble::Full => does == Does::Grow,
                }
        };
        if let Some(fault) = self.fault.as_ref().filter(|fault| fails(fault)) {
            self.hit += 1;
            return Err(match fault.trouble {
                Trouble::Broken => Errno::IO.into(),
                Trouble::Full => Errno::NOSPC.into(),
            });
        }
        if does == Does::Look {
            return Ok(());
        }
        if self.broken.as_deref() == Some(path) && does != Does::Remove {
            return Err(Errno::IO.into());
        }
        match &mut self.left {
            Some(0) => {
                self.cut = true;
                return Err(io::Error::other("the power is cut"));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        self.changes += 1;
        Ok(())
    }
}
