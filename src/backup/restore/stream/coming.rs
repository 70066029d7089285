//! What comes of a stream, file by file: it is sealed into the vault as it comes, and waits
//! for the manifest.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use sha2::{Digest, Sha256};

use super::WHICH;
use crate::backup::error::{Error, Result};
use crate::backup::layout::{MANIFEST, Member};
use crate::backup::read::trouble::trouble;
use crate::backup::read::walk::{Head, Walk};
use crate::backup::restore::heal::{REPAIR_FIRST, THE_VAULT};
use crate::backup::restore::recording::{self, Sound, Taken};
use crate::backup::restore::{Outcome, Tell};
use crate::backup::segment::place;
use crate::backup::verify::{Damage, Kind};
use crate::backup::written::{Digits, Hash};
use crate::recording::RecordingId;
use crate::vault::{Fate, Restoring, ReturnedSound};

/// Sound that comes before what is known of it, or is wanted twice, is held in memory:
/// 20 hours of it.
const MOST_HELD_BYTES: u64 = 256 << 20;

/// A recording of which the sound, or what is known of it, is still to come.
struct Held {
    id: RecordingId,
    taken: Option<Taken>,
    sound: Option<Vec<u8>>,
}

/// A stream on its way into the vault.
pub(super) struct Work<R> {
    tar: Walk<R>,
    pub(super) restoring: Restoring,
    resurrect: Option<RecordingId>,
    pub(super) outcome: Outcome,
    /// Every file that came.
    pub(super) seen: BTreeMap<Member, (u64, Hash)>,
    /// Recordings that wait for the manifest, and their epochs.
    pub(super) put: BTreeMap<RecordingId, u32>,
    /// The new id of the one that comes back under another.
    pub(super) new: Option<RecordingId>,
    held: Option<Held>,
}

impl<R: Read> Work<R> {
    pub(super) fn new(tar: Walk<R>, restoring: Restoring, resurrect: Option<RecordingId>) -> Self {
        Self {
            tar,
            restoring,
            resurrect,
            outcome: Outcome::default(),
            seen: BTreeMap::new(),
            put: BTreeMap::new(),
            new: None,
            held: None,
        }
    }

    /// Whether the vault holds one, or will behind the commit, as the one that it is.
    pub(super) fn is_alive(&self, id: RecordingId) -> bool {
        let epoch = self.put.get(&id).copied().unwrap_or_default();
        self.restoring.fate(id, epoch) == Fate::IsThere
    }

    /// Reads all of it; the manifest.
    pub(super) fn read(&mut self, tell: Tell<'_>) -> Result<Vec<u8>> {
        let mut manifest = None;
        while let Some(head) = self.tar.next()? {
            if manifest.is_some() {
                let why = format!("{} lies behind {MANIFEST}", head.member);
                return Err(Error::damaged(WHICH, why));
            }
            if self.held.as_ref().map(|held| held.id) != head.member.id() {
                self.let_go()?;
                tell(self.put.len() as u64, 0)?;
            }
            match head.member {
                Member::Manifest => {
                    let (bytes, _) = self.whole()?;
                    manifest = Some(bytes);
                    continue;
                }
                Member::Meta(id) => self.meta(id, head)?,
                Member::Audio(id) => self.audio(id, head)?,
                // Of a stretch nothing can be made without the others.
                Member::Text(_) | Member::Subtitles(_) | Member::Stretch(..) => {
                    let hash = self.pass(Sha256::new())?;
                    self.note(head, hash)?;
                }
            }
        }
        manifest.ok_or_else(|| Error::damaged(WHICH, format!("{MANIFEST} is missing")))
    }

    fn note(&mut self, head: Head, hash: Hash) -> Result<()> {
        match self.seen.insert(head.member, (head.bytes, hash)) {
            None => Ok(()),
            Some(_) => Err(Error::damaged(
                WHICH,
                format!("{} comes twice", head.member),
            )),
        }
    }

    fn whole(&mut self) -> Result<(Vec<u8>, Hash)> {
        let bytes = self.tar.whole()?;
        let hash = Hash::of(&bytes);
        Ok((bytes, hash))
    }

    /// Reads the rest of a file; the hash of all of it.
    fn pass(&mut self, mut digest: Sha256) -> Result<Hash> {
        let copied = io::copy(&mut self.tar, &mut digest);
        copied.map_err(|error| trouble(WHICH, error))?;
        Ok(Digits(digest.finalize().into()))
    }

    /// The recording that comes now.
    fn held(&mut self, id: RecordingId) -> &mut Held {
        self.held.get_or_insert(Held {
            id,
            taken: None,
            sound: None,
        })
    }

    fn meta(&mut self, id: RecordingId, head: Head) -> Result<()> {
        let (bytes, hash) = self.whole()?;
        self.note(head, hash)?;
        let which = place(WHICH, &head.member);
        match recording::read(&which, id, &bytes) {
            Ok(taken) => self.held(id).taken = Some(taken),
            Err(error) => self.outcome.damaged(id, error)?,
        }
        Ok(())
    }

    fn audio(&mut self, id: RecordingId, head: Head) -> Result<()> {
        if self.resurrect == Some(id) {
            // It may be put twice.
            return self.hold_sound(id, head);
        }
        let Some(taken) = self.held(id).taken.take() else {
            return self.hold_sound(id, head);
        };
        let fate = self.fate(&taken);
        if fate != Fate::Waits {
            let hash = self.pass(Sha256::new())?;
            self.held = None;
            self.count(fate, &taken);
            return self.note(head, hash);
        }
        let which = place(WHICH, &head.member);
        let mut digesting = Digesting {
            from: &mut self.tar,
            digest: Sha256::new(),
        };
        let put = Sound::new(which, &mut digesting, &taken.returning.card).and_then(|mut sound| {
            let put = self
                .restoring
                .put(&taken.returning, ReturnedSound::Segments(&mut sound));
            match (put, sound.failed) {
                (Ok(_), _) => Ok(()),
                (Err(_), Some(failed)) => Err(failed),
                (Err(error), None) => Err(error.into()),
            }
        });
        let digest = digesting.digest;
        let hash = self.pass(digest)?;
        self.note(head, hash)?;
        match put {
            Ok(()) => self.is_put(&taken),
            Err(error) => {
                self.outcome.damaged(id, error)?;
                // What was said comes back all the same.
                self.restoring.put(&taken.returning, ReturnedSound::Lost)?;
                self.is_put(&taken);
            }
        }
        self.held = None;
        Ok(())
    }

    fn hold_sound(&mut self, id: RecordingId, head: Head) -> Result<()> {
        if head.bytes > MOST_HELD_BYTES {
            let why = "so much sound can't be held in memory: save the stream to a file first";
            return Err(Error::damaged(place(WHICH, &head.member), why));
        }
        let (bytes, hash) = self.whole()?;
        self.note(head, hash)?;
        self.held(id).sound = Some(bytes);
        Ok(())
    }

    fn fate(&self, taken: &Taken) -> Fate {
        let returning = &taken.returning;
        self.restoring.fate(returning.id, returning.epoch)
    }

    fn count(&mut self, fate: Fate, taken: &Taken) {
        match fate {
            Fate::IsThere => self.look(taken),
            Fate::Destroyed => self.outcome.destroyed += 1,
            Fate::Waits => {}
        }
    }

    /// Looks whether the vault holds all of one. What it lost does not come back from a
    /// stream, of which nothing is known before its end.
    fn look(&mut self, taken: &Taken) {
        let id = taken.returning.id;
        if let Some(why) = self.restoring.damage(id) {
            let what = format!("{why}; {REPAIR_FIRST}");
            let damage = Damage::new(Kind::Altered, THE_VAULT, what);
            return self.outcome.damage.push(damage.of(Some(id)));
        }
        let held = self.restoring.holding(id);
        let held = held.filter(|held| held.epoch == taken.returning.epoch);
        let lost = held.is_some_and(|held| {
            let mut numbers = taken.returning.words.iter().flat_map(|words| words.keys());
            let versions = held.versions.as_ref();
            let is_lost = |number| versions.is_some_and(|held| !held.contains(number));
            held.is_damaged() || numbers.any(is_lost)
        });
        match lost {
            false => self.outcome.there += 1,
            true => self.outcome.notes.push(format!(
                "{}: the vault lost some of it; what this backup has of that comes back from a \
                 file or a folder, not from a stream",
                id.short()
            )),
        }
    }

    fn is_put(&mut self, taken: &Taken) {
        let returning = &taken.returning;
        self.put.insert(returning.id, returning.epoch);
        for note in taken.notes() {
            let id = returning.id.short();
            self.outcome.notes.push(format!("{id}: {note}"));
        }
    }

    /// Nothing more comes of this recording.
    fn let_go(&mut self) -> Result<()> {
        let Some(Held {
            id,
            taken: Some(mut taken),
            sound,
        }) = self.held.take()
        else {
            return Ok(());
        };
        let fate = self.fate(&taken);
        self.count(fate, &taken);
        if fate == Fate::Waits {
            self.put_held(id, &taken, sound.as_deref())?;
            self.is_put(&taken);
        }
        if self.resurrect == Some(id) {
            let new = Restoring::new_id()?;
            (taken.returning.id, taken.returning.epoch) = (new, 0);
            self.put_held(id, &taken, sound.as_deref())?;
            self.new = Some(new);
        }
        Ok(())
    }

    fn put_held(&mut self, id: RecordingId, taken: &Taken, sound: Option<&[u8]>) -> Result<()> {
        let Some(bytes) = sound else {
            self.restoring.put(&taken.returning, taken.without_file())?;
            return Ok(());
        };
        let which = place(WHICH, &Member::Audio(id));
        let opened = Sound::new(which, Cursor::new(bytes), &taken.returning.card);
        let failed = match opened {
            Err(error) => error,
            Ok(mut sound) => {
                let put = self
                    .restoring
                    .put(&taken.returning, ReturnedSound::Segments(&mut sound));
                match (put, sound.failed) {
                    (Ok(_), _) => return Ok(()),
                    (Err(_), Some(failed)) => failed,
                    (Err(error), None) => return Err(error.into()),
                }
            }
        };
        self.outcome.damaged(id, failed)?;
        self.restoring.put(&taken.returning, ReturnedSound::Lost)?;
        Ok(())
    }
}

/// Hashes what is read.
struct Digesting<'a, R> {
    from: &'a mut Walk<R>,
    digest: Sha256,
}

impl<R: Read> Read for Digesting<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(out)?;
        self.digest.update(&out[..read]);
        Ok(read)
    }
}
