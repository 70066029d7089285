//! By what a second import of the same sound is noticed.
//!
//! SHA-256 over rate, number of channels and every decoded sample, as the
//! decoder gave it: before mixing, resampling and coding. So a copy under
//! another name, with other tags, or as FLAC instead of WAV has the same
//! fingerprint; a lossy copy has another.

use sha2::{Digest, Sha256};

use super::shape::Shape;

/// Samples turned to bytes at once.
const BATCH: usize = 512;

/// A fingerprint in the making.
pub struct Fingerprint {
    sha: Sha256,
}

impl Fingerprint {
    /// For sound of this shape.
    #[must_use]
    pub fn new(shape: &Shape) -> Self {
        let mut sha = Sha256::new();
        sha.update(b"voxvault sound 1\0");
        sha.update(shape.rate_hz().to_le_bytes());
        sha.update((shape.channels() as u64).to_le_bytes());
        Self { sha }
    }

    /// Takes in interleaved samples.
    pub fn push(&mut self, interleaved: &[f32]) {
        let mut bytes = [0; BATCH * 4];
        for batch in interleaved.chunks(BATCH) {
            for (place, x) in bytes.chunks_exact_mut(4).zip(batch) {
                // Adding zero makes -0 into 0: some decoders give the one,
                // some the other.
                place.copy_from_slice(&(x + 0.0).to_le_bytes());
            }
            self.sha
                .update(bytes.get(..batch.len() * 4).unwrap_or_default());
        }
    }

    /// The fingerprint of all that came.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.sha.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;

    fn of(shape: &Shape, blocks: &[&[f32]]) -> [u8; 32] {
        let mut print = Fingerprint::new(shape);
        blocks.iter().for_each(|block| print.push(block));
        print.finish()
    }

    #[test]
    fn how_the_samples_were_cut_makes_no_difference() {
        let shape = Shape::new(48_000, 1).unwrap();
        let sound: Vec<f32> = (0..3_000).map(|at| at as f32 / 3_000.0).collect();
        let cut = of(&shape, &[&sound[..7], &sound[7..1_500], &sound[1_500..]]);
        assert_eq!(of(&shape, &[&sound]), cut);
    }

    #[test]
    fn one_sample_or_the_rate_makes_a_difference() {
        let shape = Shape::new(48_000, 1).unwrap();
        let base = of(&shape, &[&[0.0, 0.5]]);
        assert_eq!(base, of(&shape, &[&[-0.0, 0.5]]));
        assert_ne!(base, of(&shape, &[&[0.0, 0.5, 0.0]]));
        assert_ne!(base, of(&shape, &[&[0.0, 0.5001]]));
        assert_ne!(base, of(&Shape::new(44_100, 1).unwrap(), &[&[0.0, 0.5]]));
    }
}
