//! What a vault has promised, and what it turns out to hold.

use std::collections::BTreeMap;

use crate::recording::{Card, Ending, RecordingId, SEGMENT_SAMPLES};
use crate::vault::tests::{card, packets};
use crate::vault::{Error, OpenVault, lost_segments};

/// What somebody may rely on.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// Opens the vault; `None` as long as there need not be one.
    pub(super) passphrase: Option<&'static str>,
    /// The recordings, also those that wait to be merged.
    pub(super) clips: BTreeMap<RecordingId, Clip>,
    /// What was destroyed for good.
    pub(super) gone: Vec<Gone>,
    /// How often something was played: the log says so.
    pub(super) plays: u32,
    /// Passphrases that open nothing any more.
    pub(super) former: Vec<&'static str>,
}

/// A recording.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clip {
    /// Says what its sound is like.
    pub(super) number: u8,
    pub(super) segments: u32,
    pub(super) ending: Ending,
    pub(super) note: String,
    pub(super) words: Vec<String>,
    pub(super) sound: Sound,
    /// Segments that were redacted.
    pub(super) silenced: Vec<u32>,
    /// Segments that were lost to damage and are not back.
    pub(super) lost: Vec<u32>,
    /// Segments that the card notes as lost.
    pub(super) noted: Vec<u32>,
    /// Whether the card was made anew.
    pub(super) is_recovered: bool,
}

/// The sound of a segment that was redacted.
pub(super) const SILENCE: [u8; 2800] = [0x55; 2800];

/// Whether a recording can be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    Kept,
    Destroyed,
}

/// Something that was destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) id: RecordingId,
    pub(super) what: What,
}

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// All of it.
    All,
    /// Its sound; words and card stay.
    Sound,
    /// Its transcripts; sound and card stay.
    Words,
    /// What its card said before this revision.
    CardsBefore(u32),
    /// All that was sealed under keys of this epoch or before.
    Epoch(u32),
}

impl Clip {
    /// One that is being recorded and has so many segments by now.
    pub(super) fn running(number: u8, segments: u32) -> Self {
        Self {
            number,
            segments,
            ending: Ending::Interrupted,
            note: String::new(),
            words: Vec::new(),
            sound: Sound::Kept,
            silenced: Vec::new(),
            lost: Vec::new(),
            noted: Vec::new(),
            is_recovered: false,
        }
    }

    /// Whether something of it is lost, or is said to be.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_recovered || !self.lost.is_empty() || !self.noted.is_empty()
    }

    /// Whether any of its sound is there.
    pub(super) fn can_be_heard(&self) -> bool {
        self.lost.len() < self.segments as usize
    }

    /// One that was ended.
    pub(super) fn ended(number: u8, segments: u32) -> Self {
        Self {
            ending: Ending::Complete,
            ..Self::running(number, segments)
        }
    }
}

impl Facts {
    /// The recording with this number.
    pub(super) fn id(&self, number: u8) -> RecordingId {
        let found = self.clips.iter().find(|(_, clip)| clip.number == number);
        *found.expect("a recording of this number").0
    }

    pub(super) fn clip(&mut self, id: RecordingId) -> &mut Clip {
        self.clips.get_mut(&id).expect("a recording")
    }

    /// Notes that this much of a recording is destroyed.
    pub(super) fn destroy(&mut self, id: RecordingId, what: What) {
        match what {
            What::All => drop(self.clips.remove(&id)),
            What::Sound => self.clip(id).sound = Sound::Destroyed,
            What::Words => self.clip(id).words.clear(),
            What::CardsBefore(_) | What::Epoch(_) => {}
        }
        self.gone.push(Gone { id, what });
    }
}

/// The card of a recording with this number.
pub(super) fn card_of(number: u8, segments: u32) -> Card {
    Card {
        samples: u64::from(segments) * u64::from(SEGMENT_SAMPLES),
        ..card(&format!("recording {number}"))
    }
}

/// Everything that a vault holds, read to the last segment. An error says what
/// is damaged.
pub(super) fn observe(open: &OpenVault) -> Result<BTreeMap<RecordingId, Clip>, String> {
    let listing = open
        .listing()
        .map_err(|error| format!("listing: {error}"))?;
    if let Some(damage) = listing.damaged.first() {
        return Err(format!("{}: {}", damage.id, damage.why));
    }
    let mut clips = BTreeMap::new();
    for recording in listing.recordings {
        let id = recording.id;
        let said = |what: &str, error: &dyn std::fmt::Display| format!("{what} of {id}: {error}");
        let is_recovered = recording.card.is_recovered();
        let titled = recording.card.title.strip_prefix("recording ");
        let number = match is_recovered {
            true => number_by_ear(open, id),
            false => titled.and_then(|digits| digits.parse().ok()),
        };
        let number = number.ok_or_else(|| said("title", &recording.card.title))?;
        let mut words = Vec::new();
        for version in &recording.versions {
            let read = open.transcript(id, version.number);
            words.push(read.map_err(|error| said("words", &error))?.text());
        }
        let segments = (recording.card.samples / u64::from(SEGMENT_SAMPLES)) as u32;
        let noted = lost_segments(&recording.card).into_iter().flatten();
        let noted: Vec<u32> = noted.map(|one| one as u32).collect();
        let heard = hear(open, id, number, segments, &noted).map_err(|why| said("sound", &why))?;
        clips.insert(
            id,
            Clip {
                number,
                segments,
                ending: recording.card.ending,
                note: recording.card.note,
                words,
                sound: heard.sound,
                silenced: heard.silenced,
                lost: heard.lost,
                // A card that knows nothing of the sound counts one more.
                noted: noted.into_iter().filter(|one| *one < segments).collect(),
                is_recovered,
            },
        );
    }
    Ok(clips)
}

/// The number of one whose card is lost: its sound is like that.
fn number_by_ear(open: &OpenVault, id: RecordingId) -> Option<u8> {
    let first = open.sound(id).ok()?.next_segment().ok()??;
    (0..=u8::MAX).find(|number| *first.packets == packets(*number, 0))
}

/// What became of the sound of a recording.
struct Heard {
    sound: Sound,
    silenced: Vec<u32>,
    lost: Vec<u32>,
}

/// Compares every segment with what was recorded. One that is `noted` may be lost.
fn hear(
    open: &OpenVault,
    id: RecordingId,
    number: u8,
    segments: u32,
    noted: &[u32],
) -> Result<Heard, String> {
    let mut heard = Heard {
        sound: Sound::Kept,
        silenced: Vec::new(),
        lost: Vec::new(),
    };
    let mut sound = match open.sound(id) {
        Ok(sound) => sound,
        Err(Error::NoSound { .. }) => {
            heard.sound = Sound::Destroyed;
            return Ok(heard);
        }
        Err(error) => return Err(error.to_string()),
    };
    for segment in 0..segments {
        let is_noted = noted.contains(&segment);
        match sound.next_segment() {
            Ok(Some(read)) if *read.packets == packets(number, segment) => {}
            Ok(Some(read)) if *read.packets == SILENCE => heard.silenced.push(segment),
            Ok(Some(read)) if is_noted && read.packets.is_empty() => heard.lost.push(segment),
            Ok(None) if is_noted => heard.lost.push(segment),
            Ok(Some(_)) => return Err(format!("segment {segment} is another one")),
            Ok(None) => return Err(format!("ends before segment {segment}")),
            Err(error) => return Err(error.to_string()),
        }
    }
    match sound.next_segment() {
        Ok(None) => Ok(heard),
        _ => Err(format!("goes on behind segment {segments}")),
    }
}
