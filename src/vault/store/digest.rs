//! Whether the frames of a recording's sound are those that the bag counts.
//!
//! The hash in the extent runs over all of them, in order. But while segments that were
//! lost are put back, and where that was cut short, there are more: some that the card
//! still notes as gaps. Then it runs over those that lie in no gap.

use sha2::{Digest, Sha256};

use crate::vault::keys::bag::Extent;

/// Of the frames so far.
pub(in crate::vault) struct SoundDigest {
    all: Sha256,
    /// Of those that lie in no gap, once one did.
    outside: Option<Sha256>,
}

impl SoundDigest {
    pub(in crate::vault) fn new() -> Self {
        Self {
            all: Sha256::new(),
            outside: None,
        }
    }

    /// Takes the next frame in; `is_in_gap` if the card notes its segment as lost.
    pub(in crate::vault) fn add(&mut self, frame: &[u8], is_in_gap: bool) {
        match &mut self.outside {
            Some(outside) if !is_in_gap => outside.update(frame),
            None if is_in_gap => self.outside = Some(self.all.clone()),
            _ => {}
        }
        self.all.update(frame);
    }

    /// Whether they are those that were counted.
    pub(in crate::vault) fn is_of(&self, extent: &Extent) -> bool {
        let is_it = |digest: &Sha256| digest.clone().finalize().as_slice() == extent.hash;
        is_it(&self.all) || self.outside.as_ref().is_some_and(is_it)
    }

    /// The hash over all of them.
    pub(in crate::vault) fn of_all(self) -> [u8; 32] {
        self.all.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(frames: &[&[u8]]) -> Extent {
        Extent {
            segments: 4,
            hash: Sha256::digest(frames.concat()).into(),
        }
    }

    #[test]
    fn with_or_without_what_lies_in_a_gap_they_are_those_that_were_counted() {
        let mut digest = SoundDigest::new();
        for (frame, is_in_gap) in [(b"a", false), (b"b", true), (b"c", true), (b"d", false)] {
            digest.add(frame, is_in_gap);
        }
        assert!(digest.is_of(&extent(&[b"a", b"b", b"c", b"d"])));
        assert!(digest.is_of(&extent(&[b"a", b"d"])));
        // A part of them, or what lies in no gap left out, is something else.
        assert!(!digest.is_of(&extent(&[b"a", b"b", b"d"])));
        assert!(!digest.is_of(&extent(&[b"b", b"c", b"d"])));
        assert_eq!(digest.of_all(), extent(&[b"a", b"b", b"c", b"d"]).hash);
    }
}
