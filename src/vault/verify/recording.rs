//! Whether the records of one recording are all there, in their places, and right.
//!
//! Fed with what the store holds of it, in order; at the end it says what is wrong,
//! and what would put it in order.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Flaw;
use crate::crypto::ClipKey;
use crate::recording::{SEGMENT_SAMPLES, STORED_RATE_HZ, VersionInfo};
use crate::vault::error::Error;
use crate::vault::keys::bag::{Clip, Extent};
use crate::vault::sealed::frame::{self, Frame, Kind};
use crate::vault::sealed::record::{self, CardRecord};
use crate::vault::sealed::scan;
use crate::vault::store::digest::SoundDigest;
use crate::vault::store::gaps;
use crate::vault::store::opened;
use crate::vault::store::rows::{ClipId, SEGMENTS_PER_ROW};

/// What is left of a recording, for who puts it in order.
pub(super) struct Condition {
    pub at: ClipId,
    /// Its sound as it is now, where it is not the one that was counted.
    pub extent: Option<Extent>,
    /// Segments of sound that it had, and where their sound counts, how many
    /// samples and bytes of it there are.
    pub segments: u64,
    pub samples: u64,
    pub audio_bytes: u64,
    /// Segments that are gone and that its card does not note.
    pub lost: Vec<Range<u64>>,
    /// Its card and the revision of that, if it can be read.
    pub card: Option<(CardRecord, u32)>,
    /// The transcripts that can be read.
    pub versions: Vec<VersionInfo>,
    /// The highest number of a transcript that there is something of.
    pub numbered: u32,
}

/// What is known of a recording so far.
pub(super) struct State<'a> {
    at: ClipId,
    clip: &'a Clip,
    extent: Extent,
    records: u64,
    /// Whether there is a row for its card.
    pub(super) has_card_row: bool,
    card: Result<(CardRecord, u32), String>,
    words: BTreeMap<u32, Result<VersionInfo, String>>,
    sound: Option<Sound<'a>>,
    /// What lies where it does not belong and costs nothing.
    odd: Vec<String>,
}

/// What came of looking at a recording.
pub(super) struct Seen {
    pub records: u64,
    pub flaws: Vec<Flaw>,
    pub condition: Option<Condition>,
}

impl<'a> State<'a> {
    /// A recording that was merged, before anything of it was looked at.
    pub(super) fn new(at: ClipId, clip: &'a Clip, extent: Extent) -> Self {
        let sound = clip.sound.as_ref().map(|key| Sound::new(at, key, extent));
        Self {
            at,
            clip,
            extent,
            records: 0,
            has_card_row: false,
            card: Err("its card is missing from the store".into()),
            words: BTreeMap::new(),
            sound,
            odd: Vec::new(),
        }
    }

    /// Takes in the row of its card.
    pub(super) fn card(&mut self, row: &[u8]) {
        self.records += 1;
        self.has_card_row = true;
        self.card = match opened::card_in(self.at, self.clip, row) {
            Ok(found) => Ok((found.record, found.frame.facts.revision)),
            Err(error) => Err(format!("its card can't be read: {}", why(error))),
        };
        let Ok((record, _)) = &self.card else { return };
        if let Some(sound) = &mut self.sound {
            sound.noted = gaps::segments_of(&record.card.gaps);
        }
        for found in frame::run(row) {
            if let Err(error) = opened::in_its_place(found, self.at, Kind::Card) {
                self.odd
                    .push(format!("in the row of its card: {}", why(error)));
            }
        }
    }

    /// Hears that there was a newer card, which is damaged.
    pub(super) fn card_is_older(&mut self) {
        self.odd
            .push("its card is damaged, and one from before an edit stands in".into());
    }

    /// Takes in the row of a transcript.
    pub(super) fn words(&mut self, number: u32, row: &[u8]) {
        // Left over from when they were shredded: nothing opens them any more.
        if self.clip.words.is_none() {
            return;
        }
        self.records += 1;
        let opened = opened::open_words(self.at, number, self.clip, row);
        let opened = opened
            .map(|transcript| transcript.info(number))
            .map_err(|error| format!("transcript {number} can't be read: {}", why(error)));
        self.words.insert(number, opened);
    }

    /// Takes in a row of sound.
    pub(super) fn sound_row(&mut self, number: u32, row: &[u8]) {
        let Some(sound) = &mut self.sound else { return };
        let mut end = 0;
        // What is damaged must not hide what lies behind it.
        for (at, frame) in scan::frames(row) {
            if at != end {
                sound.odd(format!("row {number} holds bytes that are no record"));
            }
            end = at + frame.bytes.len();
            if frame.facts.number / SEGMENTS_PER_ROW == number {
                sound.frame(&frame);
            } else {
                sound.odd(format!("a segment of another row lies in row {number}"));
            }
        }
        if end != row.len() {
            sound.odd(format!("row {number} holds bytes that are no record"));
        }
    }

    /// Takes in a segment that was found somewhere.
    pub(super) fn segment(&mut self, bytes: &[u8]) {
        if let (Some(sound), Ok(frame)) = (&mut self.sound, frame::parse(bytes)) {
            sound.frame(&frame);
        }
    }

    /// What is wrong, if anything; `place` is the store's.
    pub(super) fn finish(mut self, place: &str) -> Seen {
        let id = self.at.id;
        let flaw = |what: String| Flaw::new(place, what).of(id);
        let mut flaws: Vec<Flaw> = self.odd.drain(..).map(flaw).collect();
        let mut records = self.records;
        if let Err(why) = &self.card {
            flaws.push(flaw(why.clone()));
        }
        let named: Vec<u32> = match &self.card {
            Ok((record, _)) if self.clip.words.is_some() => {
                record.versions.iter().map(|one| one.number).collect()
            }
            _ => Vec::new(),
        };
        for number in &named {
            if !self.words.contains_key(number) {
                flaws.push(flaw(format!(
                    "transcript {number} is missing from the store"
                )));
            }
        }
        let numbered = self.words.last_key_value().map_or(0, |(number, _)| *number);
        let mut versions = Vec::new();
        for (number, opened) in self.words {
            match opened {
                Err(why) => flaws.push(flaw(why)),
                Ok(info) => {
                    if self.card.is_ok() && !named.contains(&number) {
                        let what =
                            format!("transcript {number} is one that its card does not name");
                        flaws.push(flaw(what));
                    }
                    versions.push(info);
                }
            }
        }
        let heard = self.sound.map(Sound::finish).unwrap_or_default();
        records += heard.found;
        flaws.extend(heard.flaws.into_iter().map(flaw));
        let condition = (!flaws.is_empty()).then(|| Condition {
            at: self.at,
            extent: heard.extent,
            segments: self.extent.segments,
            samples: heard.samples,
            audio_bytes: heard.bytes,
            lost: heard.lost,
            card: self.card.ok(),
            versions,
            numbered,
        });
        Seen {
            records,
            flaws,
            condition,
        }
    }
}

/// The sound of a recording, as far as it was looked at.
struct Sound<'a> {
    at: ClipId,
    key: &'a ClipKey,
    extent: Extent,
    /// Segments that its card notes as lost, in order. Whoever looks shows the card first.
    noted: Vec<Range<u64>>,
    next: u64,
    digest: SoundDigest,
    missing: Vec<Range<u64>>,
    found: u64,
    samples: u64,
    bytes: u64,
    /// The length of a frame; all have the same.
    frame_bytes: Option<usize>,
    odd: Option<String>,
}

/// What came of the sound.
#[derive(Default)]
struct Heard {
    found: u64,
    samples: u64,
    bytes: u64,
    flaws: Vec<String>,
    lost: Vec<Range<u64>>,
    extent: Option<Extent>,
}

impl<'a> Sound<'a> {
    fn new(at: ClipId, key: &'a ClipKey, extent: Extent) -> Self {
        Self {
            at,
            key,
            extent,
            noted: Vec::new(),
            next: 0,
            digest: SoundDigest::new(),
            missing: Vec::new(),
            found: 0,
            samples: 0,
            bytes: 0,
            frame_bytes: None,
            odd: None,
        }
    }

    fn odd(&mut self, what: String) {
        self.odd.get_or_insert(what);
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        let facts = frame.facts;
        let number = u64::from(facts.number);
        if (facts.kind, facts.id, facts.epoch) != (Kind::Sound, self.at.id, self.at.epoch) {
            self.odd("a record of another recording lies among its sound".into());
        } else if number < self.next {
            self.odd(format!("segment {number} is not in order, or there twice"));
        } else if number >= self.extent.segments && self.is_noted(number) {
            // Nobody counted how many there were where all was lost, and this one is on its
            // way back.
        } else if number >= self.extent.segments {
            self.odd(format!("segment {number} is more than was recorded"));
        } else {
            match record::open_sound(self.key, frame) {
                Ok(segment) => self.take(number, frame, segment.samples),
                Err(error) => self.odd(format!("segment {number}: {}", why(error))),
            }
        }
    }

    fn take(&mut self, number: u64, frame: &Frame<'_>, samples: u32) {
        let bytes = frame.bytes.len();
        if *self.frame_bytes.get_or_insert(bytes) != bytes {
            self.odd(format!(
                "segment {number} has another size than those before"
            ));
        }
        if samples > SEGMENT_SAMPLES {
            self.odd(format!("segment {number} says that it is too long"));
        }
        self.miss(number);
        self.next = number + 1;
        self.found += 1;
        self.samples += u64::from(samples.min(SEGMENT_SAMPLES));
        self.bytes += bytes as u64;
        self.digest.add(frame.bytes, self.is_noted(number));
    }

    fn is_noted(&self, number: u64) -> bool {
        self.noted.iter().any(|gap| gap.contains(&number))
    }

    fn miss(&mut self, until: u64) {
        if until > self.next {
            self.missing.push(self.next..until);
            self.samples += (until - self.next) * u64::from(SEGMENT_SAMPLES);
        }
    }

    fn finish(mut self) -> Heard {
        self.miss(self.extent.segments);
        let is_whole = self.digest.is_of(&self.extent);
        let hash = self.digest.of_all();
        let lost: Vec<Range<u64>> = self
            .missing
            .iter()
            .flat_map(|span| gaps::outside(span, &self.noted))
            .collect();
        let mut flaws: Vec<String> = lost.iter().map(lost_in_words).collect();
        match (&self.odd, flaws.first_mut()) {
            (Some(odd), Some(first)) => first.push_str(&format!(" ({odd})")),
            (Some(odd), None) => flaws.push(odd.clone()),
            (None, None) if !is_whole => {
                flaws.push("its sound is not the one that was recorded".into());
            }
            (None, _) => {}
        }
        Heard {
            found: self.found,
            samples: self.samples,
            bytes: self.bytes,
            flaws,
            lost,
            extent: (!is_whole).then_some(Extent {
                hash,
                ..self.extent
            }),
        }
    }
}

/// What is wrong, without the place: that stands beside it.
fn why(error: Error) -> String {
    match error {
        Error::Damaged { why, .. } => why,
        other => other.to_string(),
    }
}

fn lost_in_words(span: &Range<u64>) -> String {
    let second =
        |segment: u64| segment as f64 * f64::from(SEGMENT_SAMPLES) / f64::from(STORED_RATE_HZ);
    let (from, to) = (second(span.start), second(span.end));
    match span.end - span.start {
        1 => format!(
            "segment {} ({from:.1} s to {to:.1} s) is missing or damaged",
            span.start
        ),
        _ => format!(
            "segments {} to {} ({from:.1} s to {to:.1} s) are missing or damaged",
            span.start,
            span.end - 1
        ),
    }
}
