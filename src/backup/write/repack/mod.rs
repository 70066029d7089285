//! Rids a backup of what was destroyed since it was written.
//!
//! Segments are never changed, so one that holds something that was destroyed goes as
//! a whole, and what of it still counts is written anew behind the last one: copied as
//! it is, or without the sound or the words that were destroyed. The last segment that
//! is written names those that go, with the hashes that they had, so that the chain
//! still holds without them. Only when it is durable are they overwritten and
//! removed; cut short before, nothing has changed, and behind it the next run removes
//! what is left.

mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use age::Recipient;

use self::view::{Held, View, read};
use super::folder::{Folder, Part};
use super::note::{Ending, Note};
use super::run::{before, hash_of};
use super::tarball::{self, SegmentWriter};
use super::{Order, Watch};
use crate::backup::error::{Error, Result};
use crate::backup::layout::{ENOUGH_BYTES, Member, segment_name};
use crate::backup::manifest::{
    Dropped, Entry, FORMAT, FileEntry, Lacking, Logged, Manifest, SoundAt, Tombstone,
};
use crate::backup::meta::Meta;
use crate::backup::read::places::Segment;
use crate::backup::read::trouble::trouble;
use crate::backup::read::{Keys, SegmentFile, Source};
use crate::backup::segment::place;
use crate::backup::written::Hash;
use crate::recording::{Moment, RecordingId};
use crate::vault::bag::{BackupEnd, KnownBackup};
use crate::vault::copying::Standing;
use crate::vault::{Deed, OpenVault};

/// How much of a file is copied at once.
const PIECE_BYTES: usize = 64 << 10;

/// What a repack did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repacked {
    /// Segments that went.
    pub dropped: Vec<u32>,
    /// Segments that were written.
    pub written: Vec<u32>,
    /// Bytes of the ones that went, and of those that were written.
    pub dropped_bytes: u64,
    /// The same.
    pub written_bytes: u64,
    /// Recordings that are gone from it, or a part of which is.
    pub recordings: u64,
}

/// Repacks a folder.
///
/// # Errors
/// [`Error::Unusable`] or [`Error::Refused`] if it holds no backup of this vault,
/// [`Error::Damaged`] if something that is to be copied can't be read and the vault
/// does not hold it. Until all of it is written nothing goes.
pub fn repack(
    vault: &OpenVault,
    dir: &Path,
    order: Order<'_>,
    watch: &dyn Watch,
) -> Result<Repacked> {
    let now = order.now;
    let recipients = order.with_own(vault)?;
    let source = Source::find(dir)?;
    if !source.is_folder() {
        let which = dir.display().to_string();
        return Err(Error::damaged(which, "only a folder can be repacked"));
    }
    let mut folder = Folder::open(dir, vault.vault().dir())?;
    let keys = Keys::of_backups(&vault.backup_keys()?.identities);
    // Before the stock: what is destroyed from now on stays counted.
    let remembered = vault.settings()?.backups;
    let stock = vault.stock()?;
    let held = read(vault, &source, &keys, watch)?;
    if !held.states.are_of(vault)? {
        return Err(Error::of_later_state(folder.dir()));
    }
    let view = View {
        stock: &stock,
        held: &held,
    };
    let known = remembered.iter().find(|known| known.id == held.backup.0);
    let noted = known.and_then(|known| known.end);
    let there = folder.segments.last().copied().unwrap_or(0);
    let last = noted.map_or(there, |end| end.segments.max(there));
    if last > there {
        // What is written goes behind it all the same, so that it is missed later, too.
        watch.damaged(Error::Behind {
            which: segment_name(last),
        });
    }
    let doomed = view.doomed();
    let left_over: BTreeSet<u32> = held
        .dropped
        .keys()
        .copied()
        .filter(|number| folder.segments.contains(number))
        .collect();
    let mut done = Repacked::default();
    if doomed.is_empty() && left_over.is_empty() {
        folder.clear(&|error| watch.damaged(error))?;
        if known.is_some_and(|known| known.destroyed > 0) {
            let now_ms = now().unix_ms;
            note(vault, &held, &folder, noted, known, Ending::Rid, now_ms)?;
        }
        return Ok(done);
    }
    vault.log(Deed::Repack, &[], &format!("in {}", folder.dir().display()))?;
    folder.clear(&|error| watch.damaged(error))?;
    let mut end = noted;
    if !doomed.is_empty() {
        let mut work = Work {
            vault,
            watch,
            now,
            recipients: &recipients,
            folder: &folder,
            view: &view,
            doomed: &doomed,
            shelf: Shelf {
                keys: &keys,
                source: &source,
                open: None,
            },
            last,
            before: before(&folder, last, noted)?,
            done: &mut done,
        };
        end = Some(work.all()?);
        let now_ms = now().unix_ms;
        note(vault, &held, &folder, end, None, Ending::Rid, now_ms)?;
    }
    let going: BTreeSet<u32> = doomed.into_iter().chain(left_over).collect();
    let mut told = several(view.destroyed_in(&going), "recording") + " dropped";
    for &number in &going {
        let path = folder.segment(number);
        done.dropped_bytes += std::fs::metadata(&path).map_or(0, |found| found.len());
        match folder.remove_segment(number) {
            Ok(()) => done.dropped.push(number),
            failed => watch.go_on(failed)?,
        }
    }
    let stuck = going.len() - done.dropped.len();
    if stuck > 0 {
        told += &format!("; {} could not be removed", several(stuck, "segment"));
    }
    // Only now are they gone from it, unless one is still there.
    let known = known.filter(|_| stuck == 0);
    let ending = |rid| Ending::Repacked { rid, told };
    note(vault, &held, &folder, end, known, ending, now().unix_ms)?;
    Ok(done)
}

fn several(many: usize, what: &str) -> String {
    format!("{many} {what}{}", if many == 1 { "" } else { "s" })
}

/// A segment that is open to be copied from.
struct Shelf<'k> {
    keys: &'k Keys<'k>,
    source: &'k Source,
    open: Option<(u32, Segment<'k>)>,
}

impl<'k> Shelf<'k> {
    fn segment(&mut self, number: u32) -> Result<&mut Segment<'k>> {
        let missing = || Error::damaged(segment_name(number), "it is missing");
        if self.open.as_ref().is_none_or(|(open, _)| *open != number) {
            let mut files = self.source.segments().iter();
            let file: &SegmentFile = files
                .find(|file| file.number == Some(number))
                .ok_or_else(missing)?;
            self.open = Some((number, Segment::open(file, self.keys)?));
        }
        self.open
            .as_mut()
            .map(|(_, segment)| segment)
            .ok_or_else(missing)
    }
}

/// A repack under way.
struct Work<'a> {
    vault: &'a OpenVault,
    watch: &'a dyn Watch,
    now: &'a dyn Fn() -> Moment,
    recipients: &'a [Box<dyn Recipient + Send>],
    folder: &'a Folder,
    view: &'a View<'a>,
    doomed: &'a BTreeSet<u32>,
    shelf: Shelf<'a>,
    last: u32,
    before: Option<Hash>,
    done: &'a mut Repacked,
}

impl Work<'_> {
    /// Writes all that stays; where the backup ends then.
    fn all(&mut self) -> Result<BackupEnd> {
        let dropped = self.dropped()?;
        let survivors = self.view.survivors(self.doomed);
        let total = survivors.len() as u64;
        let mut rest = survivors.as_slice();
        loop {
            let mut writer = self.begin()?;
            let mut entries = Vec::new();
            while let Some(((number, entry), behind)) = rest.split_first() {
                if self.watch.cancelled() {
                    return Err(Error::Cancelled);
                }
                if !entries.is_empty() && writer.plain_bytes() >= ENOUGH_BYTES {
                    break;
                }
                entries.extend(self.copy(&mut writer, *number, entry)?);
                rest = behind;
                self.watch.done(total - rest.len() as u64, total);
            }
            // Only the last of them says what goes: by then all else is durable.
            let says = match rest.is_empty() {
                true => dropped.clone(),
                false => self.view.held.dropped.clone(),
            };
            self.end(writer, entries, says)?;
            if rest.is_empty() {
                break;
            }
        }
        // Said twice, so that it holds with one of the two damaged.
        let writer = self.begin()?;
        self.end(writer, Vec::new(), dropped)?;
        Ok(BackupEnd {
            segments: self.last,
            hash: self.before.map_or([0; 32], |hash| hash.0),
        })
    }

    /// All that is gone by then, with the hashes that they had.
    fn dropped(&self) -> Result<BTreeMap<u32, Hash>> {
        let mut dropped = self.view.held.dropped.clone();
        for number in self.doomed {
            dropped.insert(*number, hash_of(self.folder, *number)?);
        }
        Ok(dropped)
    }

    fn begin(&self) -> Result<SegmentWriter<Part>> {
        let number = self.last + 1;
        let recipients = tarball::each(self.recipients);
        SegmentWriter::begin(&segment_name(number), self.folder.part(number)?, recipients)
    }

    fn end(
        &mut self,
        writer: SegmentWriter<Part>,
        entries: Vec<Entry>,
        dropped: BTreeMap<u32, Hash>,
    ) -> Result<()> {
        let number = self.last + 1;
        let at = (self.now)();
        let Standing {
            generation,
            tombstones,
            lacking,
            log_head,
            signing,
        } = self.vault.standing(&[])?;
        // Whichever of the segments said it may be one of those that go.
        let mut all = self.view.held.lacking.clone();
        all.extend(lacking.into_iter().map(Lacking::from));
        let (vault, backup, before) = (self.view.stock.vault, self.view.held.backup, self.before);
        let dropped = dropped.into_iter();
        let dropped: Vec<Dropped> = dropped
            .map(|(segment, sha256)| Dropped { segment, sha256 })
            .collect();
        let written = writer.finish(at, |files: Vec<FileEntry>| {
            let manifest = Manifest {
                format: FORMAT,
                vault,
                backup,
                generation,
                log: log_head.map(Logged::from),
                made_at: at,
                segment: number,
                before,
                files,
                recordings: entries,
                stretches: Vec::new(),
                dropped,
                tombstones: tombstones.iter().map(|one| Tombstone::from(*one)).collect(),
                lacking: all.into_iter().collect(),
            };
            manifest.sign(&signing)
        })?;
        written.to.publish()?;
        self.done.written.push(number);
        self.done.written_bytes += written.bytes;
        (self.last, self.before) = (number, Some(written.hash));
        Ok(())
    }

    /// Copies a recording. What can't be read and is in the vault, the next backup
    /// writes anew.
    fn copy(
        &mut self,
        writer: &mut SegmentWriter<Part>,
        number: u32,
        entry: &Entry,
    ) -> Result<Option<Entry>> {
        let Entry { id, epoch, .. } = *entry;
        let from = self.view.sound_of(number, entry);
        let moves = from.filter(|from| self.doomed.contains(from));
        let read = self.head(number, entry).and_then(|head| {
            // A file that was begun can't be taken back.
            moves.map_or(Ok(()), |from| self.check_sound(from, id))?;
            Ok(head)
        });
        let head = match read {
            Ok(head) => head,
            Err(error) if self.view.stocked(id, epoch).is_some() => {
                self.watch.damaged(error);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.done.recordings += 1;
        let mut copied = Entry {
            versions: match self.view.is_wordless(id, epoch) {
                true => Vec::new(),
                false => entry.versions.clone(),
            },
            sound: match entry.sound {
                SoundAt::Lost => SoundAt::Lost,
                SoundAt::Here | SoundAt::Segment(_) | SoundAt::Gone => SoundAt::Gone,
            },
            stretches: Vec::new(),
            gone: Vec::new(),
            ..entry.clone()
        };
        writer.file(Member::Meta(id), &head.meta, head.at)?;
        if let Some(from) = moves {
            copied.sound = SoundAt::Here;
            let here = self.view.sound_in(from, id);
            copied.gone = here.map_or_else(Vec::new, |entry| entry.gone.clone());
            copied.stretches = self.sound(writer, from, id, head.at)?;
        } else if let Some(from) = from {
            copied.sound = SoundAt::Segment(from);
        }
        writer.file(Member::Text(id), &head.text, head.at)?;
        writer.file(Member::Subtitles(id), &head.subtitles, head.at)?;
        Ok(Some(copied))
    }

    /// What is known of a recording, without the words if they were destroyed.
    fn head(&mut self, number: u32, entry: &Entry) -> Result<Head> {
        let Entry { id, epoch, .. } = *entry;
        let mut whole = |member: Member| {
            let missing =
                || Error::damaged(place(&segment_name(number), &member), "it is not there");
            let lies = self.view.place(number, member).ok_or_else(missing)?;
            self.shelf.segment(number)?.whole(member, &lies)
        };
        let meta = whole(Member::Meta(id))?;
        let (mut text, mut subtitles) = (whole(Member::Text(id))?, whole(Member::Subtitles(id))?);
        let which = place(&segment_name(number), &Member::Meta(id));
        let mut read = Meta::read(&which, &meta)?;
        let at = read.recorded_at;
        let meta = match self.view.is_wordless(id, epoch) {
            false => meta,
            true => {
                read.text_shredded = true;
                read.versions.clear();
                read.lost_versions.clear();
                (text, subtitles) = (Vec::new(), Vec::new());
                read.write()?
            }
        };
        Ok(Head {
            meta,
            text,
            subtitles,
            at,
        })
    }

    fn check_sound(&mut self, from: u32, id: RecordingId) -> Result<()> {
        let (member, _) = self.lies(from, id);
        let which = place(&segment_name(from), &member);
        let lies = self.view.place(from, member);
        let lies = lies.ok_or_else(|| Error::damaged(&which, "it is not there"))?;
        let mut part = self.shelf.segment(from)?.part(member, &lies)?;
        let read = std::io::copy(&mut part, &mut std::io::sink());
        read.map(drop).map_err(|error| trouble(&which, error))
    }

    /// What the sound that lies in a segment, or ends there, is called, and where the
    /// stretches before it lie. These hold nothing else, so they never go without it.
    fn lies(&self, from: u32, id: RecordingId) -> (Member, Vec<u32>) {
        let entry = self.view.sound_in(from, id);
        entry.map_or((Member::Audio(id), Vec::new()), |entry| {
            (entry.audio(), entry.stretches.clone())
        })
    }

    /// Copies sound that lies in a segment, or ends there; where the stretches before it
    /// lie.
    fn sound(
        &mut self,
        writer: &mut SegmentWriter<Part>,
        from: u32,
        id: RecordingId,
        at: Moment,
    ) -> Result<Vec<u32>> {
        let (member, stretches) = self.lies(from, id);
        let which = place(&segment_name(from), &member);
        let lies = self.view.place(from, member);
        let lies = lies.ok_or_else(|| Error::damaged(&which, "it is not there"))?;
        let mut part = self.shelf.segment(from)?.part(member, &lies)?;
        writer.begin_file(member, lies.bytes, at)?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = part.read(&mut piece);
            match read.map_err(|error| trouble(&which, error))? {
                0 => break,
                read => writer.push(&piece[..read])?,
            }
        }
        writer.end_file()?;
        Ok(stretches)
    }
}

struct Head {
    meta: Vec<u8>,
    text: Vec<u8>,
    subtitles: Vec<u8>,
    at: Moment,
}

/// Has the vault remember where the backup ends now, and that of what was destroyed
/// before it was looked at nothing is in it any more.
fn note(
    vault: &OpenVault,
    held: &Held,
    folder: &Folder,
    end: Option<BackupEnd>,
    before: Option<&KnownBackup>,
    ending: impl FnOnce(u32) -> Ending,
    now_ms: i64,
) -> Result<()> {
    let path = folder.dir().display().to_string();
    let generations = held.manifests.values().map(|manifest| manifest.generation);
    // Where it was not known: those that should be there are missed if they are not.
    let mut slots = folder.slots.clone();
    slots.extend(vault.ways()?.into_keys());
    slots.sort_unstable();
    slots.dedup();
    let note = Note {
        id: held.backup,
        path: &path,
        generation: generations.max().unwrap_or(0),
        slots,
    };
    // What can't be read may hold some of it.
    let gone = match held.unread {
        0 => before.map_or(0, |known| known.destroyed),
        _ => 0,
    };
    note.behind(vault, now_ms, end, ending(gone))
}
