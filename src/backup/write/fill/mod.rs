//! Puts recordings into a segment: what is known of each, its sound, its text.
//!
//! Silence stands in for what can't be read, and the segment's manifest says so.
//! What is shredded or redacted while it is written ends the segment, or, where
//! that can't be begun anew, is left out of what the manifest names.

mod audio;

use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Range;

use self::audio::{Audio, Ended, written};
use super::plan::{Before, Holding};
use super::supply::{Next, Piece};
use super::tarball::SegmentWriter;
use super::task::{Sound, Task};
use crate::audio::{StoredShape, ogg_opus_bytes, silent_segment};
use crate::backup::error::{Error, Result};
use crate::backup::layout::{ENOUGH_BYTES, MOST_BYTES, Member};
use crate::backup::manifest::{self, Entry, SoundAt};
use crate::backup::meta::Meta;
use crate::backup::written::Digits;
use crate::recording::{Moment, RecordingId};
use crate::transcript::{srt, text};
use crate::vault;
use crate::vault::copying::{Head, Kept, Opened, Stocked};

/// What to do when something was destroyed while it was being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destroyed {
    /// Give up: the segment is begun anew without it.
    BeginAnew,
    /// Go on: what is written can't be taken back, so the manifest does not name it.
    LeaveUnnamed,
}

/// When a segment is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// As soon as it holds enough.
    Segment,
    /// Never: all of it is one stream.
    None,
}

/// What a segment came to.
#[derive(Default)]
pub(super) struct Filled {
    /// How many of the tasks are done.
    pub tasks: usize,
    /// The recordings in it.
    pub entries: Vec<Entry>,
    /// Stretches in it of recordings that a later segment completes.
    pub stretches: Vec<manifest::Stretch>,
    /// The same, as the vault had them.
    pub written: Vec<Stocked>,
    /// What could not be read.
    pub damage: Vec<Error>,
}

impl Filled {
    /// Names a recording no more that was destroyed since it was written.
    pub(super) fn forget(&mut self, id: RecordingId) {
        self.entries.retain(|entry| entry.id != id);
        self.written.retain(|one| one.id != id);
    }
}

/// A segment while it is filled.
pub(super) struct Filling<'a, W: Write> {
    writer: &'a mut SegmentWriter<W>,
    tasks: &'a [Task],
    /// What the backup holds, for where the first stretches of long sound lie.
    holding: &'a Holding,
    destroyed: Destroyed,
    limit: Limit,
    silence: Vec<u8>,
    current: Option<Current>,
    /// How many pieces of it were taken.
    seen: u64,
    filled: Filled,
    /// Hears how many bytes of sealed sound, or about as much, are done.
    advance: &'a mut dyn FnMut(u64),
}

/// The recording that is being written.
struct Current {
    entry: Entry,
    at: Moment,
    texts: Option<(String, String)>,
    gone: Vec<Range<u64>>,
    audio: Option<Audio>,
    /// It was destroyed, or its card can't be read: nothing more of it is written.
    dropped: bool,
}

impl<'a, W: Write> Filling<'a, W> {
    pub(super) fn new(
        writer: &'a mut SegmentWriter<W>,
        tasks: &'a [Task],
        holding: &'a Holding,
        destroyed: Destroyed,
        limit: Limit,
        advance: &'a mut dyn FnMut(u64),
    ) -> Result<Self> {
        Ok(Self {
            writer,
            tasks,
            holding,
            destroyed,
            limit,
            silence: silent_segment()?,
            current: None,
            seen: 0,
            filled: Filled::default(),
            advance,
        })
    }

    /// Takes the next piece of the tasks.
    ///
    /// # Errors
    /// [`vault::Error::Outdated`] if something was destroyed and the segment is to be
    /// begun anew.
    pub(super) fn take(&mut self, piece: Piece) -> Result<Next> {
        let task = &self.tasks[piece.task];
        if self.seen == 0 && self.is_full(task) {
            return Ok(Next::Enough);
        }
        match piece.opened {
            Ok(Opened::Head(head)) => self.begin(task, *head)?,
            Ok(Opened::Sound(segments)) => self.sound(task.stocked.id, segments)?,
            Err(error @ vault::Error::Outdated { .. }) => match self.destroyed {
                Destroyed::BeginAnew => return Err(error.into()),
                Destroyed::LeaveUnnamed => self.drop_current(task, None),
            },
            Err(error) if is_damage(&error) => self.drop_current(task, Some(error)),
            Err(error) => return Err(error.into()),
        }
        self.end_if_done(task)?;
        Ok(Next::More)
    }

    /// What it came to.
    pub(super) fn end(self) -> Filled {
        self.filled
    }

    fn is_full(&self, task: &Task) -> bool {
        let so_far = self.writer.plain_bytes();
        if self.limit == Limit::None || self.filled.tasks == 0 {
            return false;
        }
        let sound = match task.sound {
            Sound::Here(stretch) if !stretch.is_last() => return true,
            Sound::Here(stretch) => super::sound_bytes(stretch),
            Sound::At(_) | Sound::Gone | Sound::Lost => 0,
        };
        if !self.filled.stretches.is_empty() {
            return true;
        }
        // Words take a tenth of what sound takes, and are not known yet.
        so_far >= ENOUGH_BYTES || so_far + sound + sound / 4 > MOST_BYTES
    }

    /// Begins a recording, or a stretch of one, which takes nothing but sound.
    fn begin(&mut self, task: &Task, head: Head) -> Result<()> {
        let id = task.stocked.id;
        let card = &head.recording.card;
        let (at, shape) = (
            card.recorded_at,
            StoredShape {
                samples: card.samples,
                pre_skip: card.pre_skip,
            },
        );
        let is_last = match task.sound {
            Sound::Here(stretch) => stretch.is_last(),
            Sound::At(_) | Sound::Gone | Sound::Lost => true,
        };
        let before = match task.sound {
            Sound::Here(stretch) if is_last => self.holding.before(&task.stocked, stretch),
            Sound::Here(_) | Sound::At(_) | Sound::Gone | Sound::Lost => Some(Before::default()),
        };
        let Some(before) = before else {
            let why = "the beginning of its sound could not be written";
            self.drop_current(task, Some(vault::Error::damaged(id, why)));
            return Ok(());
        };
        if let Some(what) = self.holding.outlives(task, &head) {
            let what = what.to_owned();
            self.filled.damage.push(Error::Outlived { id, what });
            self.drop_current(task, None);
            return Ok(());
        }
        if is_last {
            let damaged = head.damaged.into_iter();
            self.filled.damage.extend(damaged.map(Error::from));
        }
        if self.holding.has_sound(task, &head.gone) {
            let what = "some of its sound".to_owned();
            self.filled.damage.push(Error::Outlived { id, what });
        }
        let gone = head.gone.iter().map(|span| (span.start, span.end));
        let newest = head.transcripts.last().map(|(_, transcript)| transcript);
        let texts = newest.map_or_else(Default::default, |transcript| {
            (text::render(transcript), srt::render(transcript))
        });
        let versions: Vec<u32> = head.transcripts.iter().map(|(number, _)| *number).collect();
        let is_later = |numbered: &u32| versions.iter().all(|one| one < numbered);
        let numbered = Some(head.numbered).filter(|numbered| *numbered > 0 && is_later(numbered));
        let entry = Entry {
            id,
            epoch: task.stocked.epoch,
            revision: head.revision,
            card: Digits(head.mark),
            numbered: numbered.filter(|_| task.stocked.words == Kept::Kept),
            versions,
            sound: match task.sound {
                Sound::Here(_) => SoundAt::Here,
                Sound::At(segment) => SoundAt::Segment(segment),
                Sound::Gone => SoundAt::Gone,
                Sound::Lost => SoundAt::Lost,
            },
            stretches: before.segments,
            gone: match task.sound {
                Sound::Here(_) => gone.collect(),
                Sound::At(_) | Sound::Gone | Sound::Lost => Vec::new(),
            },
            recovered: card.is_recovered(),
            lost: match task.sound {
                Sound::At(_) => task.lost.clone(),
                Sound::Here(_) | Sound::Gone | Sound::Lost => before.lost,
            },
            carried_from: None,
        };
        if is_last {
            let meta = Meta::of(&head.recording, head.revision, head.transcripts);
            let meta = meta.numbered_up_to(head.numbered);
            self.writer.file(Member::Meta(id), &meta.write()?, at)?;
        }
        let audio = match task.sound {
            Sound::Here(stretch) => {
                let shape = shape.stretch(stretch.span());
                let member = Member::stretch(id, stretch.number);
                let bytes = ogg_opus_bytes(shape.packets());
                self.writer.begin_file(member, bytes, at)?;
                Some(Audio::of(stretch, shape)?)
            }
            Sound::At(_) | Sound::Gone | Sound::Lost => None,
        };
        self.current = Some(Current {
            entry,
            at,
            texts: is_last.then_some(texts),
            gone: head.gone,
            audio,
            dropped: false,
        });
        Ok(())
    }

    fn sound(
        &mut self,
        id: RecordingId,
        segments: Vec<Result<zeroize::Zeroizing<Vec<u8>>, vault::Error>>,
    ) -> Result<()> {
        let current = self
            .current
            .as_mut()
            .filter(|current| current.entry.id == id);
        let Some(Current {
            audio: Some(audio),
            gone,
            dropped: false,
            ..
        }) = current
        else {
            return Ok(());
        };
        let taken = audio.take(segments, gone, &self.silence)?;
        (self.advance)(taken * super::SEALED_SEGMENT_BYTES);
        let ready = audio.ready();
        self.writer.push(ready)?;
        ready.clear();
        Ok(())
    }

    /// Writes nothing more of a recording, and names it nowhere.
    fn drop_current(&mut self, task: &Task, why: Option<vault::Error>) {
        // Of a long recording it is told once.
        let is_told = !matches!(task.sound, Sound::Here(stretch) if !stretch.is_last());
        let why = why.filter(|_| is_told).map(Error::from);
        self.filled.damage.extend(why);
        match &mut self.current {
            Some(current) => {
                current.dropped = true;
                current.texts = None;
            }
            None => {
                let (id, epoch) = (task.stocked.id, task.stocked.epoch);
                self.current = Some(Current {
                    entry: Entry {
                        id,
                        epoch,
                        revision: 0,
                        card: Digits([0; 16]),
                        versions: Vec::new(),
                        numbered: None,
                        sound: SoundAt::Gone,
                        stretches: Vec::new(),
                        gone: Vec::new(),
                        recovered: false,
                        lost: Vec::new(),
                        carried_from: None,
                    },
                    at: Moment {
                        unix_ms: 0,
                        offset_s: 0,
                    },
                    texts: None,
                    gone: Vec::new(),
                    audio: None,
                    dropped: true,
                });
            }
        }
    }

    /// Ends the recording once the last of its pieces was taken. Which that is, is
    /// counted by `pieces_of`.
    fn end_if_done(&mut self, task: &Task) -> Result<()> {
        self.seen += 1;
        if self.seen < super::supply::pieces_of(task) {
            return Ok(());
        }
        self.seen = 0;
        self.filled.tasks += 1;
        let Some(mut current) = self.current.take() else {
            return Ok(());
        };
        (self.advance)(super::HEAD_BYTES);
        if let Some(audio) = current.audio.take() {
            current.entry.lost.extend(self.end_sound(task, audio)?);
        }
        if let Some((text, subtitles)) = current.texts.take() {
            let id = current.entry.id;
            self.writer
                .file(Member::Text(id), text.as_bytes(), current.at)?;
            self.writer
                .file(Member::Subtitles(id), subtitles.as_bytes(), current.at)?;
        }
        if !current.dropped {
            match task.sound {
                Sound::Here(stretch) if !stretch.is_last() => {
                    self.filled.stretches.push(written(stretch, current.entry));
                }
                _ => self.filled.entries.push(current.entry),
            }
            self.filled.written.push(task.stocked);
        }
        Ok(())
    }

    /// Ends the sound; what of it was lost.
    fn end_sound(&mut self, task: &Task, audio: Audio) -> Result<Vec<(u64, u64)>> {
        let Ended { rest, lost, why } = audio.end(&self.silence)?;
        self.writer.push(&rest)?;
        self.writer.end_file()?;
        if let Some(why) = why {
            self.filled.damage.push(Error::SoundLost {
                id: task.stocked.id,
                segments: lost.len() as u64,
                why: why.to_string(),
            });
        }
        Ok(spans(&lost))
    }
}

/// Whether it is about what lies there, and not about reading it.
pub(super) fn is_damage(error: &vault::Error) -> bool {
    matches!(error, vault::Error::Damaged { .. })
}

/// Numbers as spans, from the first to behind the last.
pub(super) fn spans(numbers: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some((_, end)) if end == number => *end += 1,
            _ => spans.push((*number, number + 1)),
        }
    }
    spans
}
