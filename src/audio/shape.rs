//! What a stream of samples looks like, and how its channels become one.

use super::error::AudioError;

/// The slowest and the fastest rate that is worked with. Below the first there
/// is no speech, above the second there is no equipment.
const RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// The most channels that are worked with.
const MOST_CHANNELS: u16 = 255;

/// What is louder is cut off here: 18 dB above full scale. No equipment and no
/// studio's float file goes that far, and sums and spectra of numbers near the end
/// of what a float can hold are no numbers any more.
pub(super) const LOUDEST: f32 = 8.0;

/// Rate, number of channels, and the weight each channel has in the mix.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    rate_hz: u32,
    /// One weight per channel; their sum is 1, so that the mix can't clip.
    weights: Vec<f32>,
}

impl Shape {
    /// A stream whose channels count alike: their mean is the mix. Right for
    /// mono, stereo, and every microphone array.
    ///
    /// # Errors
    /// [`AudioError::Shape`] outside 1 to 768 kHz or 1 to 255 channels.
    pub fn new(rate_hz: u32, channels: u16) -> Result<Self, AudioError> {
        if !RATES_HZ.contains(&rate_hz) || channels == 0 || channels > MOST_CHANNELS {
            return Err(AudioError::Shape { rate_hz, channels });
        }
        Ok(Self {
            rate_hz,
            weights: vec![1.0 / f32::from(channels); usize::from(channels)],
        })
    }

    /// The same with one weight per channel; they are scaled to a sum of 1.
    /// What can't be scaled (another number of weights, none above zero) is
    /// left as it was.
    #[must_use]
    pub fn weighted(mut self, weights: &[f32]) -> Self {
        let sum: f32 = weights.iter().sum();
        if weights.len() == self.weights.len() && sum.is_finite() && sum > 0.0 {
            self.weights = weights.iter().map(|weight| weight / sum).collect();
        }
        self
    }

    /// Frames per second.
    #[must_use]
    pub const fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Samples in one frame.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.weights.len()
    }

    /// Appends the mix of interleaved frames to `mono`. What is not a number
    /// becomes silence, and what is absurdly loud is cut off at eight times full scale:
    /// float files and pipes may hold anything.
    pub fn mix(&self, interleaved: &[f32], mono: &mut Vec<f32>) {
        let sane = |x: f32| match x.is_finite() {
            true => x.clamp(-LOUDEST, LOUDEST),
            false => 0.0,
        };
        match self.weights.as_slice() {
            [_] => mono.extend(interleaved.iter().copied().map(sane)),
            weights => mono.extend(interleaved.chunks_exact(weights.len()).map(|frame| {
                sane(
                    frame
                        .iter()
                        .zip(weights)
                        .map(|(x, weight)| x * weight)
                        .sum(),
                )
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;

    #[test]
    fn two_channels_become_their_mean() {
        let shape = Shape::new(48_000, 2).unwrap();
        let mut mono = Vec::new();
        shape.mix(&[1.0, 0.0, -0.5, -0.5], &mut mono);
        assert_eq!(mono, [0.5, -0.5]);
    }

    #[test]
    fn weights_are_scaled_so_that_nothing_clips() {
        let shape = Shape::new(48_000, 3).unwrap().weighted(&[2.0, 1.0, 1.0]);
        let mut mono = Vec::new();
        shape.mix(&[1.0, 1.0, 1.0, 1.0, 0.0, 0.0], &mut mono);
        assert_eq!(mono, [1.0, 0.5]);
    }

    #[test]
    fn what_is_not_a_number_becomes_silence() {
        let mut mono = Vec::new();
        Shape::new(8_000, 1)
            .unwrap()
            .mix(&[f32::NAN, 0.25, f32::INFINITY], &mut mono);
        assert_eq!(mono, [0.0, 0.25, 0.0]);
    }

    #[test]
    fn what_is_absurdly_loud_is_cut_off_and_what_is_tiny_stays() {
        let tiny = f32::from_bits(1);
        let sound = [f32::MAX, -f32::MAX, 3e38, -9.0, 7.5, tiny];
        let mut mono = Vec::new();
        Shape::new(8_000, 1).unwrap().mix(&sound, &mut mono);
        assert_eq!(mono, [8.0, -8.0, 8.0, -8.0, 7.5, tiny]);
        mono.clear();
        Shape::new(8_000, 2).unwrap().mix(&sound, &mut mono);
        assert_eq!(mono, [0.0, 8.0, 3.75]);
    }

    #[test]
    fn impossible_shapes_are_refused() {
        assert!(Shape::new(0, 1).is_err());
        assert!(Shape::new(48_000, 0).is_err());
        assert!(Shape::new(u32::MAX, 1).is_err());
    }
}
