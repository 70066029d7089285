//! What a vault has promised, and what it turns out to hold.

use std::collections::BTreeMap;

use crate::recording::{Card, Ending, RecordingId, SEGMENT_SAMPLES};
use crate::vault::tests::{card, packets};
use crate::vault::{Error, OpenVault};

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
        }
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
        let number = recording.card.title.strip_prefix("recording ");
        let number: u8 = number
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| said("title", &recording.card.title))?;
        let mut words = Vec::new();
        for version in &recording.versions {
            let read = open.transcript(id, version.number);
            words.push(read.map_err(|error| said("words", &error))?.text());
        }
        let segments = (recording.card.samples / u64::from(SEGMENT_SAMPLES)) as u32;
        let heard = hear(open, id, number, segments).map_err(|why| said("sound", &why))?;
        clips.insert(
            id,
            Clip {
                number,
                segments,
                ending: recording.card.ending,
                note: recording.card.note,
                words,
                sound: heard.0,
                silenced: heard.1,
            },
        );
    }
    Ok(clips)
}

/// Compares every segment with what was recorded; which ones are silent now.
fn hear(
    open: &OpenVault,
    id: RecordingId,
    number: u8,
    segments: u32,
) -> Result<(Sound, Vec<u32>), String> {
    let mut sound = match open.sound(id) {
        Ok(sound) => sound,
        Err(Error::NoSound { .. }) => return Ok((Sound::Destroyed, Vec::new())),
        Err(error) => return Err(error.to_string()),
    };
    let mut silenced = Vec::new();
    for segment in 0..segments {
        match sound.next_segment() {
            Ok(Some(read)) if *read.packets == packets(number, segment) => {}
            Ok(Some(read)) if *read.packets == SILENCE => silenced.push(segment),
            Ok(Some(_)) => return Err(format!("segment {segment} is another one")),
            Ok(None) => return Err(format!("ends before segment {segment}")),
            Err(error) => return Err(error.to_string()),
        }
    }
    match sound.next_segment() {
        Ok(None) => Ok((Sound::Kept, silenced)),
        _ => Err(format!("goes on behind segment {segments}")),
    }
}
