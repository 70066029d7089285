//! Whether the vault has all that goes: then the next backup writes a recording anew whose
//! newest entry can't be read, and nothing is lost with the older ones.

use std::collections::BTreeSet;

use super::view::{Laid, View};
use crate::recording::{Recording, RecordingId, SEGMENT_SAMPLES};
use crate::vault::{OpenVault, lost_segments, segments_outside};

impl View<'_> {
    /// Whether the vault has all that the segments that go have of a recording. What it
    /// should have is read, since nobody may have noticed yet that it is lost.
    pub(super) fn is_whole_in(
        &self,
        vault: &OpenVault,
        (id, epoch): (RecordingId, u32),
        doomed: &BTreeSet<u32>,
    ) -> bool {
        let (Some(stocked), Ok(found)) = (self.stocked(id, epoch), vault.recording(id)) else {
            return false;
        };
        let segments = found.card.samples.div_ceil(SEGMENT_SAMPLES.into());
        let is_long_enough = stocked.segments >= segments;
        let mut sounds = BTreeSet::new();
        for laid in self.laid(id, epoch) {
            let goes = doomed.contains(&laid.number);
            if goes && !self.has_words(vault, laid, &found) {
                return false;
            }
            let sound = self.sound_of(laid.number, laid.entry);
            sounds.extend(sound.filter(|lies| doomed.contains(lies)));
        }
        let has_sound = |from: &u32| self.has_sound(*from, id, &found);
        let is_heard = || is_long_enough && hears(vault, id);
        sounds.is_empty() || (sounds.iter().all(has_sound) && is_heard())
    }

    /// Its entries, in the order of the segments.
    fn laid(&self, id: RecordingId, epoch: u32) -> impl Iterator<Item = Laid<'_>> {
        self.held.manifests.iter().flat_map(move |(number, one)| {
            let entries = one.recordings.iter();
            let of_it = entries.filter(move |entry| (entry.id, entry.epoch) == (id, epoch));
            of_it.map(|entry| Laid {
                number: *number,
                entry,
            })
        })
    }

    /// Whether the vault has card and transcripts of an entry.
    fn has_words(&self, vault: &OpenVault, laid: Laid<'_>, found: &Recording) -> bool {
        let (id, epoch) = (laid.entry.id, laid.entry.epoch);
        let has = |number: &u32| vault.transcript(id, *number).is_ok();
        let has_all = || laid.entry.versions.iter().all(has);
        !found.card.is_recovered() && (self.is_wordless(id, epoch) || has_all())
    }

    /// Whether what the vault has noted as lost of its sound is lost here as well.
    fn has_sound(&self, from: u32, id: RecordingId, found: &Recording) -> bool {
        self.sound_in(from, id).is_none_or(|entry| {
            let here = self.lost_of(Laid {
                number: from,
                entry,
            });
            segments_outside(&lost_segments(&found.card), &here).is_empty()
        })
    }
}

/// Whether all of its sound can be read in the vault, but for what is noted as lost.
fn hears(vault: &OpenVault, id: RecordingId) -> bool {
    let Ok(mut sound) = vault.sound(id) else {
        return false;
    };
    loop {
        match sound.next_segment() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}
