//! The segments of a backup, and what lies in them of one recording: its card and words,
//! and its sound, however many segments that lies in.

use std::io::Read;

use super::recording::{self, Sound, Taken};
use super::work::Work;
use crate::backup::error::{Error, Result};
use crate::backup::layout::{Member, segment_name};
use crate::backup::read::places::Segment;
use crate::backup::read::plan::Listed;
use crate::backup::read::{Keys, SegmentFile};
use crate::backup::segment::place;
use crate::recording::{Card, RecordingId};
use crate::vault::{self, Restoring, Returned};

/// Segments that are open at once.
const MOST_OPEN: usize = 4;

/// Segments by their numbers, a few of them open.
pub(super) struct Shelf<'k> {
    keys: &'k Keys<'k>,
    files: Vec<(u32, SegmentFile)>,
    open: Vec<(u32, Segment<'k>)>,
}

impl<'k> Shelf<'k> {
    pub(super) fn of(keys: &'k Keys<'k>, files: Vec<(u32, SegmentFile)>) -> Self {
        Self {
            keys,
            files,
            open: Vec::new(),
        }
    }

    fn segment(&mut self, number: u32) -> Result<&mut Segment<'k>> {
        if let Some(at) = self.open.iter().position(|(open, _)| *open == number) {
            let found = self.open.remove(at);
            self.open.push(found);
        } else {
            let file = self.files.iter().find(|(one, _)| *one == number);
            let (_, file) = file.ok_or_else(|| gone(number))?;
            if self.open.len() >= MOST_OPEN {
                self.open.remove(0);
            }
            self.open.push((number, Segment::open(file, self.keys)?));
        }
        match self.open.last_mut() {
            Some((_, segment)) => Ok(segment),
            None => Err(Error::damaged(segment_name(number), "it can't be read")),
        }
    }

    /// A segment for oneself.
    fn own(&self, number: u32) -> Result<Segment<'k>> {
        let file = self.files.iter().find(|(one, _)| *one == number);
        let (_, file) = file.ok_or_else(|| gone(number))?;
        Segment::open(file, self.keys)
    }

    pub(super) fn name(&self, number: u32) -> String {
        let file = self.files.iter().find(|(one, _)| *one == number);
        file.map_or_else(|| segment_name(number), |(_, file)| file.which.clone())
    }
}

impl Work<'_> {
    /// Does something with a copy of the sound, or says what is wrong with that.
    pub(super) fn with_sound<T>(
        &mut self,
        id: RecordingId,
        lies: &Listed,
        card: &Card,
        with: impl FnOnce(&mut Restoring, &mut dyn Returned) -> vault::Result<T>,
    ) -> Result<Result<T>> {
        match lies.stretches.is_empty() {
            true => self.with_whole(id, lies, card, with),
            false => self.with_stretches(id, lies, card, with),
        }
    }

    /// The same for one that lies in one segment.
    fn with_whole<T>(
        &mut self,
        id: RecordingId,
        lies: &Listed,
        card: &Card,
        with: impl FnOnce(&mut Restoring, &mut dyn Returned) -> vault::Result<T>,
    ) -> Result<Result<T>> {
        let member = Member::Audio(id);
        let which = place(&self.shelf.name(lies.segment), &member);
        let Some(audio) = lies.audio else {
            return Ok(Err(Error::damaged(&which, "it is not there")));
        };
        let part = self.shelf.segment(lies.segment);
        let part = part.and_then(|segment| segment.part(member, &audio));
        let sound = part.and_then(|part| Sound::new(which, part, card));
        heard(&mut self.restoring, sound, with)
    }

    /// The same for a long one, the stretches of which lie in a segment each.
    fn with_stretches<T>(
        &mut self,
        id: RecordingId,
        last: &Listed,
        card: &Card,
        with: impl FnOnce(&mut Restoring, &mut dyn Returned) -> vault::Result<T>,
    ) -> Result<Result<T>> {
        let before = (1..).zip(&last.stretches).map(|(number, segment)| {
            let lies = self.plan.stretch(id, last.epoch, number, *segment);
            (number, *segment, lies)
        });
        let end = (last.number(), last.segment, last.audio);
        let shelf = &self.shelf;
        let mut stretches = before.chain([end]).map(|(number, segment, lies)| {
            let member = Member::stretch(id, number);
            let which = place(&shelf.name(segment), &member);
            let lies = lies.ok_or_else(|| Error::damaged(&which, "it is not there"))?;
            let part = shelf.own(segment)?.into_part(member, &lies)?;
            Ok((which, part))
        });
        let mut next = move || stretches.next().transpose();
        let sound = match next() {
            Ok(Some((which, part))) => Sound::new(which, part, card),
            Ok(None) => Err(gone(last.segment)),
            Err(error) => Err(error),
        };
        heard(
            &mut self.restoring,
            sound.map(|sound| sound.and(next)),
            with,
        )
    }

    pub(super) fn meta(&mut self, id: RecordingId, listed: &Listed) -> Result<Taken> {
        let member = Member::Meta(id);
        let which = place(&self.shelf.name(listed.segment), &member);
        let lies = listed
            .meta
            .ok_or_else(|| Error::damaged(&which, "it is not there"))?;
        let bytes = self.shelf.segment(listed.segment)?.whole(member, &lies)?;
        let taken = recording::read(&which, id, &bytes)?;
        match taken.returning.epoch == listed.epoch {
            true => Ok(taken),
            false => Err(Error::damaged(which, "it is about another epoch")),
        }
    }
}

fn gone(number: u32) -> Error {
    Error::damaged(segment_name(number), "it is missing or can't be read")
}

/// Does something with sound, or says what is wrong with that.
fn heard<R: Read, T>(
    restoring: &mut Restoring,
    sound: Result<Sound<'_, R>>,
    with: impl FnOnce(&mut Restoring, &mut dyn Returned) -> vault::Result<T>,
) -> Result<Result<T>> {
    let mut sound = match sound {
        Ok(sound) => sound,
        Err(error) => return Ok(Err(error)),
    };
    let done = with(restoring, &mut sound);
    match (done, sound.failed) {
        (Ok(done), _) => Ok(Ok(done)),
        (Err(_), Some(failed)) => Ok(Err(failed)),
        (Err(error), None) => Err(error.into()),
    }
}
