//! Retention over a whole vault, by a clock that the test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::restore::{Packets, returning};
use super::*;
use crate::recording::State;
use crate::retention::{Going, Keep, Trust, set_rule};
use crate::time::Age;
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::{ReturnedSound, Returning, Sweep, Swept};

mod clock;
mod dates;
mod going;
mod life;
mod lost;
mod oracle;
mod returning;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What becomes of a recording before anybody reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Complete,
    Interrupted,
    Silent,
    Failed,
}

impl Kind {
    const ALL: [Self; 4] = [
        Self::Complete,
        Self::Interrupted,
        Self::Silent,
        Self::Failed,
    ];

    /// Its state before there is a transcript.
    fn state(self) -> State {
        match self {
            Self::Complete => State::Pending,
            Self::Interrupted => State::Interrupted,
            Self::Silent => State::Silent,
            Self::Failed => State::Failed,
        }
    }
}

/// A vault on a disk in memory, and its clock.
struct World {
    clock_ms: Arc<AtomicI64>,
    open: OpenVault,
}

impl World {
    fn new() -> Self {
        Self::made_at(RECORDED_MS, i64::MIN)
    }

    /// Made while the clock says this, which can't be right before that.
    fn made_at(now_ms: i64, earliest_ms: i64) -> Self {
        let clock_ms = Arc::new(AtomicI64::new(now_ms));
        let told = Arc::clone(&clock_ms);
        let clock = Clock::new(move || moment(told.load(Ordering::Relaxed)));
        let clock = clock.not_before(earliest_ms);
        let site = crash::site(&SimDisk::default()).with_clock(clock);
        let options = InitOptions {
            work: WorkFactor::NONE,
            ..InitOptions::default()
        };
        let open = Vault::init_at(site, &passphrase(), options).unwrap();
        Self { clock_ms, open }
    }

    fn now_ms(&self) -> i64 {
        self.clock_ms.load(Ordering::Relaxed)
    }

    fn set(&self, ms: i64) {
        self.clock_ms.store(ms, Ordering::Relaxed);
    }

    /// Records now, of a date that may lie before.
    fn record(&self, title: &str, age_ms: i64) -> RecordingId {
        self.record_as(Kind::Complete, title, age_ms)
    }

    /// The same, of any kind; one that is to fail does so once it is merged.
    fn record_as(&self, kind: Kind, title: &str, age_ms: i64) -> RecordingId {
        let mut card = Card {
            recorded_at: moment(self.now_ms() - age_ms),
            added_at: moment(self.now_ms()),
            tags: Vec::new(),
            samples: u64::from(SEGMENT_SAMPLES),
            ..card(title)
        };
        let mut writer = self.open.vault().begin(&card).unwrap();
        writer.push(&packets(1, 0), SEGMENT_SAMPLES).unwrap();
        match kind {
            Kind::Interrupted => return writer.id(),
            Kind::Silent => card.signal.silent_fraction = 1.0,
            Kind::Complete | Kind::Failed => {}
        }
        writer.finish(&card).unwrap()
    }

    /// Takes in a file now that says it is of this date.
    fn import(&self, recorded_ms: i64) -> RecordingId {
        let card = Card {
            recorded_at: moment(recorded_ms),
            added_at: moment(self.now_ms()),
            samples: u64::from(SEGMENT_SAMPLES),
            source: Source::Import,
            content_hash: None,
            ..card("imported")
        };
        let mut writer = self.open.vault().begin(&card).unwrap();
        writer.push(&packets(2, 0), SEGMENT_SAMPLES).unwrap();
        writer.finish(&card).unwrap()
    }

    /// Puts one back that a backup held, of the date at which everything here is recorded.
    fn restore(&self, number: u8) -> RecordingId {
        let mut restoring = self.open.begin_restore().unwrap();
        let of_backup = returning(number, 1, 0);
        let recording = Returning {
            card: Card {
                pinned: false,
                ..of_backup.card
            },
            ..of_backup
        };
        let sound = &mut Packets(number, 0..1);
        let sound = ReturnedSound::Segments(sound);
        restoring.put(&recording, sound).unwrap();
        assert_eq!(restoring.commit().unwrap().restored, [recording.id]);
        recording.id
    }

    fn fail(&self, id: RecordingId) {
        let fails = &mut |card: &mut Card| card.failure = Some("the model ran dry".to_owned());
        self.open.update_card(id, fails).unwrap();
    }

    fn rule(&self, tag: Option<&str>, audio: Option<Keep>, text: Option<Keep>) {
        let change = |settings: &mut crate::vault::bag::Settings| {
            set_rule(&mut settings.retention, tag, audio, text);
        };
        self.open.change_settings(&mut { change }).unwrap();
    }

    fn sweep(&self, trust: Trust, spared: &[RecordingId]) -> Sweep {
        let now = moment(self.now_ms());
        let swept = self.open.sweep(now, trust, spared, &mut |_, _| ());
        swept.unwrap()
    }

    fn swept(&self) -> Swept {
        match self.sweep(Trust::IfPlausible, &[]) {
            Sweep::Done(swept) => *swept,
            other => panic!("{other:?}"),
        }
    }

    fn generation(&self) -> u64 {
        self.open
            .session()
            .with(|held| Ok(held.generation()))
            .unwrap()
    }
}

fn days(days: u32) -> Option<Keep> {
    Some(Keep::For(Age {
        months: 0,
        days,
        seconds: 0,
    }))
}
