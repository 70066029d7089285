//! Where a vault lies, what time it is there, and who watches it being changed.

use std::fmt::{self, Debug};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, RealDisk};
use crate::recording::Moment;
use crate::retention::EARLIEST_MS;
use crate::time;
use crate::vault::error::Result;

/// A point between two steps of a rotation; named for what has just been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The locks are held, the inbox's keys are adopted (in memory).
    Adopted,
    /// Rows sealed under new clip keys are durable in the store.
    RowsWritten,
    /// Both copies of the new bag are durable.
    BagWritten,
    /// The new generation stands in `root.a`: the commit.
    Committed,
    /// It stands in `root.b` too.
    Doubled,
    /// The generation before is overwritten in both: success.
    Wiped,
    /// Its bag is overwritten and gone, and so are the rows.
    Cleaned,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::Adopted,
        Self::RowsWritten,
        Self::BagWritten,
        Self::Committed,
        Self::Doubled,
        Self::Wiped,
        Self::Cleaned,
    ];
}

/// Is told when a rotation has done a step. Tests stop or kill there.
pub trait Observer: Debug + Send + Sync {
    /// The step has just been done. With an error the rotation stops at once
    /// and cleans up nothing, as if the process had been killed.
    fn reached(&self, step: Step) -> Result<()>;
}

/// Lets every rotation pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn reached(&self, _step: Step) -> Result<()> {
        Ok(())
    }
}

/// Tells the vault the time. Passed in, so that tests can say what time it is.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Moment + Send + Sync>,
    earliest_ms: i64,
}

impl Clock {
    /// A clock that asks this.
    pub fn new(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self {
            now: Arc::new(now),
            earliest_ms: i64::MIN,
        }
    }

    /// The same, which can't be right where it says an earlier time than this,
    /// milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn not_before(self, earliest_ms: i64) -> Self {
        Self {
            earliest_ms,
            ..self
        }
    }

    /// The time before which it can't be right.
    #[must_use]
    pub fn earliest_ms(&self) -> i64 {
        self.earliest_ms
    }

    /// The clock of this machine.
    #[must_use]
    pub fn machine() -> Self {
        Self::new(|| Moment::from_zoned(&time::now())).not_before(EARLIEST_MS)
    }

    /// The moment it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.now)()
    }
}

impl Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// A vault's place: its directory and the disk that it is on.
#[derive(Debug, Clone)]
pub struct Site {
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The vault's directory.
    pub dir: PathBuf,
    /// Where the last generation seen is noted (`$XDG_STATE_HOME/voxvault`).
    pub state_dir: Option<PathBuf>,
    /// Who watches rotations.
    pub observer: Arc<dyn Observer>,
    /// Tells the time.
    pub clock: Clock,
}

impl Site {
    /// A vault on this machine's disk and by its clock, unobserved.
    #[must_use]
    pub fn new(dir: &Path, state_dir: Option<PathBuf>) -> Self {
        Self {
            disk: Arc::new(RealDisk),
            dir: dir.to_owned(),
            state_dir,
            observer: Arc::new(NoObserver),
            clock: Clock::machine(),
        }
    }

    /// The same, by this clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// A file of the vault.
    pub(in crate::vault) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}
