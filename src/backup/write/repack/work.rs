//! Writes anew what stays: recordings are copied out of the segments that go, as they
//! are or without what was destroyed of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use age::Recipient;

use super::Repacked;
use super::view::{Laid, Survivor, View};
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
use crate::backup::write::Watch;
use crate::backup::write::folder::{Folder, Part};
use crate::backup::write::run::hash_of;
use crate::backup::write::tarball::{self, SegmentWriter};
use crate::backup::written::Hash;
use crate::recording::{Moment, RecordingId};
use crate::vault::OpenVault;
use crate::vault::bag::BackupEnd;
use crate::vault::copying::Standing;

/// How much of a file is copied at once.
const PIECE_BYTES: usize = 64 << 10;

/// A segment that is open to be copied from.
pub(super) struct Shelf<'k> {
    pub(super) keys: &'k Keys<'k>,
    pub(super) source: &'k Source,
    pub(super) open: Option<(u32, Segment<'k>)>,
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
pub(super) struct Work<'a> {
    pub(super) vault: &'a OpenVault,
    pub(super) watch: &'a dyn Watch,
    pub(super) now: &'a dyn Fn() -> Moment,
    pub(super) recipients: &'a [Box<dyn Recipient + Send>],
    pub(super) folder: &'a Folder,
    pub(super) view: &'a View<'a>,
    pub(super) doomed: &'a BTreeSet<u32>,
    pub(super) shelf: Shelf<'a>,
    pub(super) last: u32,
    pub(super) before: Option<Hash>,
    /// Where the sound of a recording lies now that lay in a segment that goes.
    pub(super) moved: BTreeMap<(RecordingId, u32), u32>,
    pub(super) done: &'a mut Repacked,
}

impl Work<'_> {
    /// Writes all that stays; where the backup ends then.
    pub(super) fn all(&mut self) -> Result<BackupEnd> {
        let dropped = self.dropped()?;
        let survivors = self.view.survivors(self.doomed);
        let total = survivors.len() as u64;
        let mut rest = survivors.as_slice();
        loop {
            let mut writer = self.begin()?;
            let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
            while let Some((survivor, behind)) = rest.split_first() {
                if self.watch.cancelled() {
                    return Err(Error::Cancelled);
                }
                let is_full = !entries.is_empty() && writer.plain_bytes() >= ENOUGH_BYTES;
                if is_full || !seen.insert(survivor.laid.entry.id) {
                    break;
                }
                entries.extend(self.copy(&mut writer, *survivor)?);
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

    /// Copies a recording. If the newest of it can't be read and the vault has all that goes
    /// of it, the next backup writes it anew; what the vault has lost nothing writes again.
    fn copy(
        &mut self,
        writer: &mut SegmentWriter<Part>,
        survivor: Survivor<'_>,
    ) -> Result<Option<Entry>> {
        let Survivor {
            laid: Laid { number, entry },
            is_newest,
            ..
        } = survivor;
        let Entry { id, epoch, .. } = *entry;
        let from = self.view.sound_of(number, entry);
        let moved = from.and_then(|from| self.moved.get(&(id, from)).copied());
        let lies = from.filter(|_| moved.is_none());
        let moves = lies.filter(|from| self.doomed.contains(from) || self.is_hidden(*from, id));
        let read = self.head(number, entry).and_then(|head| {
            // A file that was begun can't be taken back.
            moves.map_or(Ok(()), |from| self.check_sound(from, id))?;
            Ok(head)
        });
        // Of an entry that stays, with its sound, no backup knows that it can't be read.
        let is_missed = [Some(number), from]
            .iter()
            .flatten()
            .any(|at| self.doomed.contains(at));
        let head = match read {
            Ok(head) => head,
            Err(error) if is_newest && is_missed && self.is_in_vault(id, epoch) => {
                self.watch.damaged(error);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.done.recordings += u64::from(is_newest);
        let is_wordless = self.view.is_wordless(id, epoch);
        let mut copied = Entry {
            versions: match is_wordless {
                true => Vec::new(),
                false => entry.versions.clone(),
            },
            numbered: entry.numbered.filter(|_| !is_wordless),
            sound: match entry.sound {
                SoundAt::Lost => SoundAt::Lost,
                SoundAt::Here | SoundAt::Segment(_) | SoundAt::Gone => SoundAt::Gone,
            },
            stretches: Vec::new(),
            gone: Vec::new(),
            carried_from: match is_newest {
                true => entry.carried_from,
                false => entry.carried_from.or(Some(number)),
            },
            ..entry.clone()
        };
        writer.file(Member::Meta(id), &head.meta, head.at)?;
        if let Some(from) = moves {
            copied.sound = SoundAt::Here;
            let here = self.view.sound_in(from, id);
            copied.gone = here.map_or_else(Vec::new, |entry| entry.gone.clone());
            copied.stretches = self.sound(writer, from, id, head.at)?;
            self.moved.insert((id, from), self.last + 1);
        } else if let Some(lies) = moved.or(from) {
            copied.sound = SoundAt::Segment(lies);
        }
        writer.file(Member::Text(id), &head.text, head.at)?;
        writer.file(Member::Subtitles(id), &head.subtitles, head.at)?;
        Ok(Some(copied))
    }

    /// Whether the next backup can write anew what goes of a recording.
    fn is_in_vault(&self, id: RecordingId, epoch: u32) -> bool {
        let what = (id, epoch);
        self.view.is_whole_in(self.vault, what, self.doomed)
    }

    /// Whether an older copy of sound was written behind this one, so that who unpacks all
    /// segments in their order would be left with that.
    fn is_hidden(&mut self, from: u32, id: RecordingId) -> bool {
        let is_behind = self.moved.range((id, 0)..=(id, u32::MAX)).next().is_some();
        is_behind && self.check_sound(from, id).is_ok()
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
                read.numbered = None;
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
