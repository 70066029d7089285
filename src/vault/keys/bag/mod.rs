//! The bag: every recording's keys, and what else one generation of the vault
//! knows. Who holds a bag holds the recordings in it; a recording whose key is
//! in no bag is gone.
//!
//! In memory a bag is a plain value: `clips` are the recordings in it. On disk it is
//! sealed with the bag key, which is fresh for each generation: `wire` says how.
//! Writing it is the rotation's work.

mod backups;
mod clips;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::backups::{BackupEnd, KnownBackup};
pub use self::clips::{Clip, Clips, Extent};
use crate::crypto::{BackupIdentity, CryptoError, InboxIdentity, LogKey, SigningSeed};
use crate::recording::{Moment, RecordingId};
use crate::retention::{ClockVerdict, Rule, Trust, dated, judge_clock};

/// A recording that was shredded, or an epoch of one that was redacted: it must
/// not come back from an inbox or a backup. Nothing else is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tombstone {
    /// The recording.
    pub id: RecordingId,
    /// Its keys of this epoch, and of every one before, are destroyed.
    pub epoch: u32,
}

/// A way in, as the bag knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// What opens it.
    pub kind: WayKind,
    /// The public half it is sealed to, as it is written (`age1…`, `ssh-ed25519 …`):
    /// with it the slot is sealed anew without asking. A passphrase has none.
    pub recipient: Option<String>,
    /// When it was added, or got its passphrase; milliseconds since
    /// 1970-01-01T00:00:00Z.
    pub made_at_ms: i64,
    /// SHA-256 over its file: what has another is damaged, or no way in.
    pub hash: [u8; 32],
}

/// A way in that was taken away or sealed anew. Its files are waste, wherever they
/// turn up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// The name it had.
    pub name: String,
    /// SHA-256 over its file.
    pub hash: [u8; 32],
}

/// How many of them the bag remembers.
pub(in crate::vault) const MOST_RETIRED: usize = 256;

/// What opens a way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WayKind {
    /// A passphrase.
    Passphrase,
    /// An age identity, `AGE-SECRET-KEY-1…`.
    Age,
    /// An SSH key.
    Ssh,
    /// A plugin of age: most often a piece of hardware.
    Plugin,
    /// The recovery key that was written down.
    Recovery,
}

/// The newest entry of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// Its number.
    pub number: u32,
    /// The hash of it, which binds all before it.
    pub hash: [u8; 32],
}

/// What a bag holds beside keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How long things are kept.
    pub retention: Vec<Rule>,
    /// Searches that were saved: name and query.
    pub searches: BTreeMap<String, String>,
    /// Backups that were made.
    pub backups: Vec<KnownBackup>,
    /// The ways in, by the names of their slots.
    pub ways: BTreeMap<String, Way>,
    /// Those that are none any more, the latest last.
    pub retired: Vec<Retired>,
    /// The newest entry of the log when this generation was made, once there is one.
    pub log_head: Option<LogHead>,
    /// Entries that came with a rotation and were not in the store yet when this
    /// generation was made: whole frames, in order.
    pub log_carried: Vec<Vec<u8>>,
    /// The latest time the vault has seen, milliseconds since 1970-01-01T00:00:00Z.
    pub last_seen_ms: i64,
    /// The latest time up to which clocks went on without a leap, or were confirmed.
    pub believed_ms: i64,
}

impl Settings {
    /// What the vault makes of a clock that says this.
    #[must_use]
    pub fn judge(&self, now: Moment) -> ClockVerdict {
        judge_clock(self.last_seen_ms, self.believed_ms, now)
    }

    /// The date of what is done while a clock says this.
    #[must_use]
    pub fn dated(&self, now: Moment) -> Moment {
        dated(self.last_seen_ms, self.believed_ms, now)
    }

    /// Whether no clock was believed yet that can be right: none is before `earliest_ms`.
    #[must_use]
    pub fn is_lost_in_time(&self, earliest_ms: i64) -> bool {
        self.believed_ms <= earliest_ms
    }

    /// Notes what time it is. A leap ahead is seen, so that nothing that comes in later
    /// counts from before it, but not believed, so that nothing goes by it.
    pub fn see(&mut self, now: Moment, trust: Trust) {
        match trust {
            Trust::Confirmed => (self.last_seen_ms, self.believed_ms) = (now.unix_ms, now.unix_ms),
            Trust::IfPlausible => {
                if self.judge(now) != ClockVerdict::Ahead {
                    self.believed_ms = self.believed_ms.max(now.unix_ms);
                }
                self.last_seen_ms = self.last_seen_ms.max(now.unix_ms);
            }
        }
    }
}

/// A log key that was replaced: it opens what was logged by then, and nothing that
/// somebody adds who still has it.
pub struct FormerLog {
    /// The last entry that it may open.
    pub last: u32,
    /// The key.
    pub key: LogKey,
}

/// Everything that one generation of the vault knows.
pub struct Bag {
    /// The recordings.
    pub clips: Clips,
    /// What must not come back.
    pub tombstones: BTreeSet<Tombstone>,
    /// What is kept beside keys.
    pub settings: Settings,
    /// Opens what the inbox was given since this generation began.
    pub inbox: InboxIdentity,
    /// Identities that opened backups before the passphrase was changed.
    pub former_backups: Vec<BackupIdentity>,
    /// Seals and binds the log.
    pub log: LogKey,
    /// What did so before the master key was replaced.
    pub former_logs: Vec<FormerLog>,
    /// Signs what backups hold.
    pub signing: SigningSeed,
}

impl Bag {
    /// An empty bag with keys of its own.
    pub fn new() -> Result<Self, CryptoError> {
        Ok(Self {
            clips: Clips::default(),
            tombstones: BTreeSet::new(),
            settings: Settings::default(),
            inbox: InboxIdentity::generate(),
            former_backups: Vec::new(),
            log: LogKey::generate()?,
            former_logs: Vec::new(),
            signing: SigningSeed::generate()?,
        })
    }

    /// Notes what time it is, of a clock that can't be right before `earliest_ms`. What
    /// came in while a clock was ahead that is put right now counts from now; and so does
    /// what came in before any clock was right, for nobody knows how long it has been here.
    pub fn see(&mut self, now: Moment, trust: Trust, earliest_ms: i64) {
        let was_lost = self.settings.is_lost_in_time(earliest_ms);
        self.settings.see(now, trust);
        let counts_anew = was_lost && !self.settings.is_lost_in_time(earliest_ms);
        if trust == Trust::Confirmed {
            for clip in self.clips.values_mut() {
                clip.kept_from.unix_ms = clip.kept_from.unix_ms.min(now.unix_ms);
            }
        }
        if counts_anew {
            for clip in self.clips.values_mut() {
                clip.enter(now.unix_ms);
            }
        }
    }

    /// Puts another log key in the place of the one that somebody with a former way in
    /// may have.
    pub fn renew_log(&mut self) -> Result<(), CryptoError> {
        let last = self.settings.log_head.map_or(0, |head| head.number);
        let key = std::mem::replace(&mut self.log, LogKey::generate()?);
        self.former_logs.push(FormerLog { last, key });
        Ok(())
    }

    /// Whether this epoch of a recording was destroyed, here or in a backup
    /// that comes back.
    #[must_use]
    pub fn is_tombstoned(&self, id: RecordingId, epoch: u32) -> bool {
        let all_later = Tombstone { id, epoch }..=Tombstone {
            id,
            epoch: u32::MAX,
        };
        self.tombstones.range(all_later).next().is_some()
    }

    /// Destroys the keys of a recording in this bag and leaves a tombstone.
    /// `false` if it was not there.
    pub fn bury(&mut self, id: RecordingId) -> bool {
        let Some(clip) = self.clips.remove(&id) else {
            return false;
        };
        for backup in &mut self.settings.backups {
            backup.outlive(&clip);
        }
        let epoch = clip.epoch;
        self.tombstones.insert(Tombstone { id, epoch });
        true
    }

    /// A second bag of the same, to change and to keep only if that succeeds.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            clips: self.clips.share(),
            tombstones: self.tombstones.clone(),
            settings: self.settings.clone(),
            inbox: self.inbox.duplicate(),
            former_backups: self
                .former_backups
                .iter()
                .map(BackupIdentity::duplicate)
                .collect(),
            log: self.log.duplicate(),
            former_logs: self
                .former_logs
                .iter()
                .map(|former| FormerLog {
                    last: former.last,
                    key: former.key.duplicate(),
                })
                .collect(),
            signing: self.signing.duplicate(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::wire::VERSION;
    use super::*;
    use crate::crypto::{BagKey, ClipKeys};

    fn id(number: u8) -> RecordingId {
        RecordingId::from_bytes([number; 16])
    }

    fn full_bag() -> Bag {
        let mut bag = Bag::new().unwrap();
        for number in 0..40 {
            bag.clips
                .insert(id(number), Clip::adopted(ClipKeys::generate().unwrap(), 5));
        }
        if let Some(clip) = bag.clips.get_mut(&id(3)) {
            clip.sound = None;
            clip.epoch = 2;
            (clip.since, clip.came) = (6, 7);
            clip.pinned = true;
            clip.extent = Some(Extent {
                segments: 75,
                hash: [9; 32],
            });
        }
        bag.bury(id(5));
        bag.settings
            .searches
            .insert("weekly".into(), "tag:minutes".into());
        bag.settings.last_seen_ms = 1_700_000_000_000;
        let way = Way {
            kind: WayKind::Age,
            recipient: Some("age1".into()),
            made_at_ms: -1,
            hash: [4; 32],
        };
        bag.settings.ways.insert("phone".into(), way);
        bag.settings.log_head = Some(LogHead {
            number: 7,
            hash: [1; 32],
        });
        bag.former_backups.push(BackupIdentity::generate());
        bag.renew_log().unwrap();
        bag
    }

    fn same(one: &Bag, two: &Bag) -> bool {
        *one.encode().unwrap() == *two.encode().unwrap()
    }

    #[test]
    fn a_bag_comes_back_as_it_was_sealed() {
        let bag = full_bag();
        let key = BagKey::generate().unwrap();
        let again = Bag::open(&key, &bag.seal(&key).unwrap()).unwrap();
        assert!(same(&bag, &again));
        assert!(same(&bag, &bag.duplicate()));
        let clip = again.clips.get(&id(3)).unwrap();
        assert!(clip.sound.is_none() && clip.words.is_some());
        assert!(clip.pinned && clip.kept_from.unix_ms == 5);
        assert_eq!(
            clip.extent,
            Some(Extent {
                segments: 75,
                hash: [9; 32]
            })
        );
        assert!(Bag::open(&BagKey::generate().unwrap(), &bag.seal(&key).unwrap()).is_err());
    }

    #[test]
    fn a_buried_recording_and_its_earlier_epochs_stay_buried() {
        let mut bag = full_bag();
        assert!(bag.bury(id(3)));
        assert!(!bag.bury(id(3)));
        assert!(bag.is_tombstoned(id(3), 2) && bag.is_tombstoned(id(3), 0));
        assert!(!bag.is_tombstoned(id(3), 3));
        assert!(!bag.is_tombstoned(id(4), 0));
    }

    #[test]
    fn one_clip_more_seldom_changes_the_size() {
        let key = BagKey::generate().unwrap();
        let empty = Bag::new().unwrap().seal(&key).unwrap().len();
        let mut bag = Bag::new().unwrap();
        bag.clips
            .insert(id(1), Clip::adopted(ClipKeys::generate().unwrap(), 5));
        assert_eq!(bag.seal(&key).unwrap().len(), empty);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_plaintext_is_refused_and_never_panics(bytes: Vec<u8>) {
            let mut versioned = vec![VERSION];
            versioned.extend(&bytes);
            proptest::prop_assert!(Bag::decode(&versioned).is_err());
            let _ = Bag::decode(&bytes);
        }
    }
}
