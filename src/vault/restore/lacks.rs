//! What the vault lacks of the recordings that it holds, as their cards say: a repair
//! noted it there, or a restore of a backup that was damaged itself.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::recording::{Recording, RecordingId};
use crate::vault::error::Result;
use crate::vault::keys::bag::Clip;
use crate::vault::session::Held;
use crate::vault::store::rows::ClipId;
use crate::vault::store::{gaps, library};

/// A recording that the vault holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// How often its keys had been replaced.
    pub epoch: u32,
    /// Whether it came into this vault from a backup.
    pub is_restored: bool,
    /// Whether its card was made anew, so that nobody knows what it is.
    pub is_recovered: bool,
    /// How many segments its sound had, and which of them are lost; none that was
    /// shredded is.
    pub segments: u64,
    /// See `segments`.
    pub lost: Vec<Range<u64>>,
    /// The numbers of its transcripts; `None` if they were shredded.
    pub versions: Option<BTreeSet<u32>>,
}

impl Holding {
    fn of(recording: &Recording, clip: &Clip) -> Self {
        let (segments, lost) = match (&clip.sound, clip.extent) {
            (Some(_), Some(extent)) => {
                let lost = gaps::segments_of(&recording.card.gaps);
                (extent.segments, lost)
            }
            _ => (0, Vec::new()),
        };
        let versions = recording.versions.iter().map(|one| one.number);
        Self {
            epoch: recording.epoch,
            is_restored: clip.since == 0,
            is_recovered: recording.card.is_recovered(),
            segments,
            lost,
            versions: (!recording.text_shredded).then(|| versions.collect()),
        }
    }

    /// Whether its card says that something of it is lost. Of a transcript that is, it
    /// does not.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.is_recovered || !self.lost.is_empty()
    }

    /// Whether it has a key for its sound, and nothing that this opens.
    #[must_use]
    pub fn is_soundless(&self) -> bool {
        let all = 0..self.segments;
        !self.lost.is_empty() && gaps::outside(&all, &self.lost).is_empty()
    }

    /// Whether this segment is noted as lost.
    pub(super) fn lacks_segment(&self, number: u32) -> bool {
        self.lost.iter().any(|span| span.contains(&number.into()))
    }

    /// Whether it has no transcript of this number, and may have one.
    pub(super) fn lacks_words(&self, number: u32) -> bool {
        let versions = self.versions.as_ref();
        versions.is_some_and(|versions| !versions.contains(&number))
    }
}

/// All that the vault holds.
#[derive(Debug, Default)]
pub(super) struct Stand {
    pub(super) holdings: BTreeMap<RecordingId, Holding>,
    /// Those of which the card can't be read, and why.
    pub(super) damaged: BTreeMap<RecordingId, String>,
}

impl Stand {
    /// What the vault holds of this epoch of a recording, as far as its card can be read.
    pub(super) fn holding(&self, at: ClipId) -> Option<&Holding> {
        let holding = self.holdings.get(&at.id);
        holding.filter(|holding| holding.epoch == at.epoch)
    }

    pub(super) fn of(held: &Held<'_>) -> Result<Self> {
        let listing = library::list(held)?;
        let clips = &held.bag().clips;
        let holdings = listing.recordings.iter().filter_map(|one| {
            let clip = clips.get(&one.id)?;
            Some((one.id, Holding::of(one, clip)))
        });
        Ok(Self {
            holdings: holdings.collect(),
            damaged: listing
                .damaged
                .into_iter()
                .map(|one| (one.id, one.why))
                .collect(),
        })
    }
}
