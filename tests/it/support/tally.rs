//! What a test of faults counts, and how long it goes on.
//!
//! `make torture` sums up what all of them report. The tests of the library
//! include this file as well.

use std::fs::OpenOptions;
use std::io::Write;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where every tally is added as a line.
const FILE: &str = "VOXVAULT_TALLY";

/// How many seconds a test may go on after its least.
const SECONDS: &str = "VOXVAULT_TORTURE_SECONDS";

/// With which seed a long run begins, to repeat one.
const SEED: &str = "VOXVAULT_TORTURE_SEED";

/// What was done to a vault, and what it cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Disks as a power cut leaves them that were opened.
    pub(crate) images: u64,
    /// Processes that were killed.
    pub(crate) kills: u64,
    /// Bytes, blocks and files that were changed behind the vault's back.
    pub(crate) flips: u64,
    /// Operations on a disk that were made to fail.
    pub(crate) faults: u64,
    /// Of what was acknowledged, what was not there afterwards.
    pub(crate) lost: u64,
    /// Of what was reported as shredded, what could be got at afterwards.
    pub(crate) unshredded: u64,
}

/// A test that has begun, and what it counts. It says so at once, and in the end what
/// came of it: by [`report`](Self::report), or, where one of its checks fails before,
/// when the panic drops it.
pub(crate) struct Begun {
    test: String,
    /// Where both are added as lines.
    file: Option<PathBuf>,
    tally: Tally,
    has_reported: bool,
}

impl Begun {
    /// Of the test with this name.
    pub(crate) fn new(test: &str) -> Self {
        Self::adding_to(std::env::var_os(FILE).map(PathBuf::from), test)
    }

    /// The same with a sum of its own.
    pub(crate) fn adding_to(file: Option<PathBuf>, test: &str) -> Self {
        let begun = Self {
            test: test.to_owned(),
            file,
            tally: Tally::default(),
            has_reported: false,
        };
        begun.add(&format!("began: {test}"));
        begun
    }

    /// Says what came of it, and adds it to the sum where there is one.
    pub(crate) fn report(&mut self) {
        let Tally {
            images,
            kills,
            flips,
            faults,
            lost,
            unshredded,
        } = self.tally;
        let line = format!(
            "{}: images={images} kills={kills} flips={flips} faults={faults} lost={lost} unshredded={unshredded}",
            self.test
        );
        self.has_reported = true;
        eprintln!("{line}");
        self.add(&line);
    }

    /// In one write, since several tests add to it at a time. A line that is missing is
    /// noticed by who sums up.
    fn add(&self, line: &str) {
        if let Some(path) = &self.file {
            let file = OpenOptions::new().append(true).create(true).open(path);
            let _ = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        }
    }
}

impl Deref for Begun {
    type Target = Tally;

    fn deref(&self) -> &Tally {
        &self.tally
    }
}

impl DerefMut for Begun {
    fn deref_mut(&mut self) -> &mut Tally {
        &mut self.tally
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if self.has_reported || !thread::panicking() {
            return;
        }
        match REACHED.swap(false, Ordering::SeqCst) {
            true => self.tally.unshredded += 1,
            false => self.tally.lost += 1,
        }
        self.report();
    }
}

/// A check of what had been shredded has failed, on whatever thread.
static REACHED: AtomicBool = AtomicBool::new(false);

/// Checks something about what was shredded: where that panics, the test counts it as
/// unshredded, and not as lost.
pub(crate) fn of_the_shredded<T>(check: impl FnOnce() -> T) -> T {
    struct Checking;
    impl Drop for Checking {
        fn drop(&mut self) {
            if thread::panicking() {
                REACHED.store(true, Ordering::SeqCst);
            }
        }
    }
    let _checking = Checking;
    check()
}

/// How long a test goes on once it has done its least.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    until: Option<Instant>,
}

impl Budget {
    /// From now on; nothing beyond the least unless `make torture` says so.
    pub(crate) fn begin() -> Self {
        let seconds = std::env::var(SECONDS)
            .ok()
            .and_then(|text| text.parse().ok());
        Self {
            until: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
        }
    }

    /// Whether this is the long run.
    pub(crate) fn is_long(&self) -> bool {
        self.until.is_some()
    }

    /// The first of a row of seeds: 0 in the short run, which does the same every time;
    /// in the long one from the clock, and said, or the one that is given.
    pub(crate) fn first_seed(&self, test: &str) -> u64 {
        if !self.is_long() {
            return 0;
        }
        let given = std::env::var(SEED).ok();
        let seed = given.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            // Without the highest bits, which are left for places.
            now.as_micros() as u64 & (u64::MAX >> 12)
        });
        eprintln!("{test}: {SEED}={seed}");
        seed
    }

    /// Whether there is time for another round.
    pub(crate) fn more(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }
}
