//! A microphone that returns may do so with another rate or other channels.

use crate::audio::{AudioError, Resampler, Shape};

/// Carries sound of one shape over to another, for a microphone that returned
/// with a shape that the intake was not made for.
pub(super) struct Bridge {
    from: Shape,
    channels: usize,
    resampler: Resampler,
    mono: Vec<f32>,
    resampled: Vec<f32>,
    carried: Vec<f32>,
}

impl Bridge {
    /// A bridge, where one is needed.
    pub(super) fn between(from: &Shape, to: &Shape) -> Result<Option<Self>, AudioError> {
        if from.rate_hz() == to.rate_hz() && from.channels() == to.channels() {
            return Ok(None);
        }
        Ok(Some(Self {
            from: from.clone(),
            channels: to.channels(),
            resampler: Resampler::new(from.rate_hz(), to.rate_hz())?,
            mono: Vec::new(),
            resampled: Vec::new(),
            carried: Vec::new(),
        }))
    }

    /// The same sound, interleaved in the other shape.
    pub(super) fn carry(&mut self, block: &[f32]) -> Result<&[f32], AudioError> {
        self.mono.clear();
        self.resampled.clear();
        self.carried.clear();
        self.from.mix(block, &mut self.mono);
        self.resampler.push(&self.mono, &mut self.resampled)?;
        for sample in &self.resampled {
            self.carried
                .extend(std::iter::repeat_n(*sample, self.channels));
        }
        Ok(&self.carried)
    }
}
