//! The bag: every recording's keys, and what else one generation of the vault
//! knows. Who holds a bag holds the recordings in it; a recording whose key is
//! in no bag is gone.
//!
//! In memory a bag is a plain value; on disk it is sealed with the bag key,
//! which is fresh for each generation. Writing it is the rotation's work.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::{
    BackupIdentity, BagKey, ClipKey, ClipKeys, CryptoError, InboxIdentity, LogKey, SigningSeed,
    open, seal,
};
use crate::recording::{Card, Moment, RecordingId};
use crate::retention::{ClockVerdict, Rule, Trust, judge_clock};

/// Written before everything else in a bag's plaintext.
const VERSION: u8 = 1;

/// A bag is padded to multiples of this, so that one clip more or less seldom
/// changes its size. (How many there are shows elsewhere in the directory.)
const STEP: usize = 4096;

/// Version, and the length of what follows without the padding.
const HEAD: usize = 1 + 4;

/// How much sound there is, so that a recording can't be cut short unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Segments of sound.
    pub segments: u64,
    /// SHA-256 over them, as the merge counted it.
    pub hash: [u8; 32],
}

/// What the bag knows of one recording.
pub struct Clip {
    /// Counts how often its keys were replaced.
    pub epoch: u32,
    /// Opens its sound; gone once the sound was shredded.
    pub sound: Option<ClipKey>,
    /// Opens its transcripts; gone once they were shredded.
    pub words: Option<ClipKey>,
    /// Opens its card.
    pub card: ClipKey,
    /// Its sound as it was merged; `None` while it still lies in the inbox.
    pub extent: Option<Extent>,
    /// The generation with which it was merged: no backup of an earlier one holds
    /// it. 0 until then.
    pub since: u64,
    /// From when its age counts: the later of its date and the moment it entered the
    /// vault, which is never before the last time that the vault had seen. It never
    /// changes once it was merged, so it is known also where the card is damaged.
    pub kept_from: Moment,
    /// Whether its card says that it is pinned, for the same reason.
    pub pinned: bool,
}

impl Clip {
    /// A recording as it is adopted from the inbox; `last_seen_ms` is the latest time
    /// that the vault had seen before.
    #[must_use]
    pub fn adopted(keys: ClipKeys, last_seen_ms: i64) -> Self {
        Self {
            epoch: 0,
            sound: Some(keys.sound),
            words: Some(keys.words),
            card: keys.card,
            extent: None,
            since: 0,
            kept_from: Moment {
                unix_ms: last_seen_ms,
                offset_s: 0,
            },
            pinned: false,
        }
    }

    /// It comes back into a vault that has seen this time by now: its age counts from
    /// then, so that no rule takes at once what was just put back.
    pub fn enter(&mut self, last_seen_ms: i64) {
        self.kept_from.unix_ms = self.kept_from.unix_ms.max(last_seen_ms);
    }

    /// Takes in what its card says about keeping it.
    pub fn learn(&mut self, card: &Card) {
        let latest = self.kept_from.max(card.recorded_at).max(card.added_at);
        self.kept_from = Moment {
            unix_ms: latest.unix_ms,
            offset_s: card.added_at.offset_s,
        };
        self.pinned = card.pinned;
    }

    /// A second one of the same.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            epoch: self.epoch,
            sound: self.sound.as_ref().map(ClipKey::duplicate),
            words: self.words.as_ref().map(ClipKey::duplicate),
            card: self.card.duplicate(),
            extent: self.extent,
            since: self.since,
            kept_from: self.kept_from,
            pinned: self.pinned,
        }
    }
}

/// A recording that was shredded, or an epoch of one that was redacted: it must
/// not come back from an inbox or a backup. Nothing else is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tombstone {
    /// The recording.
    pub id: RecordingId,
    /// Its keys of this epoch, and of every one before, are destroyed.
    pub epoch: u32,
}

/// A backup that was made, so that a receipt can name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBackup {
    /// Its own name, which stands in each of its segments: two disks that are mounted
    /// at the same place in turn are two backups. Zeros for streams, which are noted
    /// together.
    pub id: [u8; 16],
    /// Where it was written; `-` for a stream that went elsewhere.
    pub path: String,
    /// When, milliseconds since 1970-01-01T00:00:00Z.
    pub made_at_ms: i64,
    /// The generation of the vault that it holds: every recording that came with
    /// this one or before, and was not dropped from the backup since.
    pub generation: u64,
    /// How many segments it has, and the hash of the last of them as it lies there:
    /// one that lacks them was cut off or put back from a copy. Nothing until its
    /// first run has come to its end.
    pub end: Option<BackupEnd>,
    /// The ways in of which it has a copy, by the names of their slots.
    pub slots: Vec<String>,
}

/// Where a backup ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupEnd {
    /// The number of its last segment.
    pub segments: u32,
    /// SHA-256 of that segment's file.
    pub hash: [u8; 32],
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
    pub clips: BTreeMap<RecordingId, Clip>,
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
            clips: BTreeMap::new(),
            tombstones: BTreeSet::new(),
            settings: Settings::default(),
            inbox: InboxIdentity::generate(),
            former_backups: Vec::new(),
            log: LogKey::generate()?,
            former_logs: Vec::new(),
            signing: SigningSeed::generate()?,
        })
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
        self.tombstones.insert(Tombstone {
            id,
            epoch: clip.epoch,
        });
        true
    }

    /// A second bag of the same, to change and to keep only if that succeeds.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            clips: self
                .clips
                .iter()
                .map(|(id, clip)| (*id, clip.duplicate()))
                .collect(),
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

    /// The bag as it is written: an age file under the bag key.
    pub fn seal(&self, key: &BagKey) -> Result<Vec<u8>, CryptoError> {
        seal(key, &self.encode()?)
    }

    /// The reverse of [`seal`](Self::seal).
    pub fn open(key: &BagKey, sealed: &[u8]) -> Result<Self, CryptoError> {
        Self::decode(&open(key, sealed)?)
    }

    fn encode(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        const WHY: CryptoError = CryptoError::Damaged("the bag could not be encoded");
        let inbox = self.inbox.to_text();
        let former: Vec<_> = self
            .former_backups
            .iter()
            .map(BackupIdentity::to_text)
            .collect();
        let wire = Wire {
            clips: self
                .clips
                .iter()
                .map(|(id, clip)| WireClip::of(*id, clip))
                .collect(),
            tombstones: self.tombstones.iter().copied().collect(),
            settings: self.settings.clone(),
            inbox: inbox.as_str(),
            former_backups: former.iter().map(|text| text.as_str()).collect(),
            log: self.log.expose(),
            former_logs: self
                .former_logs
                .iter()
                .map(|former| (former.last, former.key.expose().as_slice()))
                .collect(),
            signing: self.signing.expose(),
        };
        let measure = postcard::ser_flavors::Size::default();
        let length = postcard::serialize_with_flavor(&wire, measure).map_err(|_| WHY)?;
        // Measured first, so that no reallocation leaves keys behind.
        let mut bytes = Zeroizing::new(vec![0; (HEAD + length).next_multiple_of(STEP)]);
        bytes[0] = VERSION;
        let stored = u32::try_from(length).map_err(|_| WHY)?;
        bytes[1..HEAD].copy_from_slice(&stored.to_le_bytes());
        postcard::to_slice(&wire, &mut bytes[HEAD..HEAD + length]).map_err(|_| WHY)?;
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Self, CryptoError> {
        const WHY: CryptoError = CryptoError::Damaged("not a bag");
        let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or(WHY)?;
        let [version, length @ ..] = *head;
        if version != VERSION {
            return Err(CryptoError::Damaged(
                "a bag of a version that is not known here",
            ));
        }
        let length = u32::from_le_bytes(length) as usize;
        let wire: Wire<'_> =
            postcard::from_bytes(rest.get(..length).ok_or(WHY)?).map_err(|_| WHY)?;
        let clip = |wire: WireClip<'_>| Ok((wire.id, wire.into_clip()?));
        Ok(Self {
            clips: wire
                .clips
                .into_iter()
                .map(clip)
                .collect::<Result<_, CryptoError>>()?,
            tombstones: wire.tombstones.into_iter().collect(),
            settings: wire.settings,
            inbox: InboxIdentity::from_text(wire.inbox)?,
            former_backups: wire
                .former_backups
                .into_iter()
                .map(str::parse)
                .collect::<Result<_, CryptoError>>()?,
            log: LogKey::from_bytes(secret(wire.log)?),
            former_logs: wire
                .former_logs
                .into_iter()
                .map(|(last, key)| {
                    let key = LogKey::from_bytes(secret(key)?);
                    Ok(FormerLog { last, key })
                })
                .collect::<Result<_, CryptoError>>()?,
            signing: SigningSeed::from_bytes(secret(wire.signing)?),
        })
    }
}

/// The bytes of a secret, which all have one length.
fn secret(bytes: &[u8]) -> Result<&[u8; 32], CryptoError> {
    bytes
        .try_into()
        .map_err(|_| CryptoError::Damaged("a key that is not 32 bytes long"))
}

/// The bag as postcard writes it. It borrows: keys go straight from their own
/// place into the sealed buffer, and back.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    clips: Vec<WireClip<'a>>,
    tombstones: Vec<Tombstone>,
    settings: Settings,
    inbox: &'a str,
    former_backups: Vec<&'a str>,
    log: &'a [u8],
    #[serde(borrow)]
    former_logs: Vec<(u32, &'a [u8])>,
    signing: &'a [u8],
}

#[derive(Serialize, Deserialize)]
struct WireClip<'a> {
    id: RecordingId,
    epoch: u32,
    #[serde(borrow)]
    sound: Option<&'a [u8]>,
    words: Option<&'a [u8]>,
    card: &'a [u8],
    extent: Option<Extent>,
    since: u64,
    kept_from: Moment,
    pinned: bool,
}

impl<'a> WireClip<'a> {
    fn of(id: RecordingId, clip: &'a Clip) -> Self {
        Self {
            id,
            epoch: clip.epoch,
            sound: clip.sound.as_ref().map(|key| key.expose().as_slice()),
            words: clip.words.as_ref().map(|key| key.expose().as_slice()),
            card: clip.card.expose(),
            extent: clip.extent,
            since: clip.since,
            kept_from: clip.kept_from,
            pinned: clip.pinned,
        }
    }

    fn into_clip(self) -> Result<Clip, CryptoError> {
        let key = |bytes: &[u8]| secret(bytes).map(ClipKey::from_bytes);
        Ok(Clip {
            epoch: self.epoch,
            sound: self.sound.map(key).transpose()?,
            words: self.words.map(key).transpose()?,
            card: key(self.card)?,
            extent: self.extent,
            since: self.since,
            kept_from: self.kept_from,
            pinned: self.pinned,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

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
            clip.since = 6;
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
        let clip = &again.clips[&id(3)];
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
