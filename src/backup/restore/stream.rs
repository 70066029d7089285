//! From a stream, which is read once and as it comes.
//!
//! What must not come back, and whose all of it is, stands in the manifest at its end.
//! Until that was read and believed, no key to anything that came before it is in the
//! vault; and what it does not know as it came is left out. So a stream that is cut
//! off brings nothing back: saved to a file, it gives all that is whole in it.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use sha2::{Digest, Sha256};

use super::heal::{REPAIR_FIRST, THE_VAULT};
use super::recording::{self, Sound, Taken};
use super::{Outcome, Tell, Tombstones, Wanted};
use crate::backup::error::{Error, Result};
use crate::backup::layout::{MANIFEST, Member};
use crate::backup::manifest::{FileEntry, Manifest, Signed, SoundAt};
use crate::backup::read::Keys;
use crate::backup::read::trouble::trouble;
use crate::backup::read::walk::{Head, Walk};
use crate::backup::segment::{self, place};
use crate::backup::verify::{Damage, Kind};
use crate::backup::write::STREAM;
use crate::backup::written::{Digits, Hash};
use crate::recording::RecordingId;
use crate::vault::{Fate, OpenVault, Restoring, ReturnedSound};

/// What a stream is called in messages.
const WHICH: &str = "standard input";

/// Sound that comes before what is known of it, or is wanted twice, is held in memory:
/// 20 hours of it.
const MOST_HELD_BYTES: u64 = 256 << 20;

/// Restores what a stream holds. `tell` hears of recordings done, and no number of
/// all.
///
/// # Errors
/// If no key opens it, it is another vault's or cut off, or the vault can't be
/// written; then nothing of it came back.
pub fn from_stream(
    vault: &OpenVault,
    from: impl Read,
    keys: &Keys<'_>,
    wanted: &Wanted<'_>,
    tell: Tell<'_>,
) -> Result<Outcome> {
    let plain = segment::open(WHICH, from, keys.each())?;
    let mut work = Work {
        tar: Walk::new(WHICH, plain),
        restoring: vault.begin_restore()?,
        resurrect: wanted.resurrect,
        outcome: Outcome::default(),
        seen: BTreeMap::new(),
        put: BTreeMap::new(),
        new: None,
        held: None,
    };
    let manifest = work.read(tell)?;
    let signed = Signed::read(WHICH, &manifest)?;
    let Work {
        mut restoring,
        mut outcome,
        seen,
        put,
        new,
        ..
    } = work;
    if let Err(why) = outcome.accept(wanted.trust, &signed) {
        let which = WHICH.to_owned();
        return Err(Error::Refused { which, why });
    }
    if let (Some(id), None) = (wanted.resurrect, new) {
        return Err(Error::NotInBackup { id });
    }
    for (member, why) in differences(&signed.manifest, &seen) {
        let damage = Damage::new(Kind::Altered, place(WHICH, &member), why);
        outcome.damage.push(damage.of(member.id()));
        if let Some(id) = member.id() {
            restoring.withdraw(id);
            new.filter(|_| wanted.resurrect == Some(id))
                .into_iter()
                .for_each(|new| restoring.withdraw(new));
        }
    }
    for (id, epoch) in put {
        let mut entries = signed.manifest.recordings.iter();
        match entries.find(|entry| entry.id == id) {
            Some(entry) if entry.epoch == epoch => {
                if !entry.lost.is_empty() {
                    let note = format!("{}: {}", id.short(), recording::LOST);
                    outcome.notes.push(note);
                }
                let elsewhere = match entry.sound {
                    SoundAt::Segment(number) => Some(format!("segment {number}")),
                    SoundAt::Here if !entry.stretches.is_empty() => {
                        Some("several segments".to_owned())
                    }
                    SoundAt::Here | SoundAt::Gone | SoundAt::Lost => None,
                };
                if let Some(elsewhere) = elsewhere {
                    outcome.notes.push(format!(
                        "{}: its sound is in {elsewhere} of the backup, which is not \
                         this stream; its words came back without it",
                        id.short()
                    ));
                }
            }
            _ => restoring.withdraw(id),
        }
    }
    let tombstones = signed.manifest.tombstones.iter();
    let destroyed: Tombstones = tombstones.map(|one| (*one).into()).collect();
    outcome.kept = super::forbid(&mut restoring, &destroyed)?;
    if let Some((_, made_at)) = outcome.backup {
        super::remember(vault, Digits([0; 16]), STREAM, made_at, 0)?;
    }
    let done = restoring.commit()?;
    outcome.resurrected = new.filter(|new| done.restored.contains(new));
    outcome.take(done);
    Ok(outcome)
}

/// Files that did not come as the manifest says, and what is wrong with them.
fn differences(
    manifest: &Manifest,
    seen: &BTreeMap<Member, (u64, Hash)>,
) -> Vec<(Member, &'static str)> {
    let mut found = Vec::new();
    let mut due = BTreeMap::new();
    for FileEntry {
        path,
        bytes,
        sha256,
    } in &manifest.files
    {
        if let Some(member) = Member::parse(path) {
            due.insert(member, (*bytes, *sha256));
        }
    }
    for (member, came) in seen {
        match due.remove(member) {
            Some(due) if due == *came => {}
            Some(_) => found.push((*member, "it is not the one that was written")),
            None => found.push((*member, "the manifest does not know it")),
        }
    }
    found.extend(due.into_keys().map(|member| (member, "it did not come")));
    found
}

/// A recording of which the sound, or what is known of it, is still to come.
struct Held {
    id: RecordingId,
    taken: Option<Taken>,
    sound: Option<Vec<u8>>,
}

struct Work<R> {
    tar: Walk<R>,
    restoring: Restoring,
    resurrect: Option<RecordingId>,
    outcome: Outcome,
    /// Every file that came.
    seen: BTreeMap<Member, (u64, Hash)>,
    /// Recordings that wait for the manifest, and their epochs.
    put: BTreeMap<RecordingId, u32>,
    /// The new id of the one that comes back under another.
    new: Option<RecordingId>,
    held: Option<Held>,
}

impl<R: Read> Work<R> {
    /// Reads all of it; the manifest.
    fn read(&mut self, tell: Tell<'_>) -> Result<Vec<u8>> {
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
            Err(error) => self.damaged(id, error)?,
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
                self.damaged(id, error)?;
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
        self.damaged(id, failed)?;
        self.restoring.put(&taken.returning, ReturnedSound::Lost)?;
        Ok(())
    }

    fn damaged(&mut self, id: RecordingId, error: Error) -> Result<()> {
        let damage = Damage::from_error(error)?;
        self.outcome.damage.push(damage.of(Some(id)));
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
