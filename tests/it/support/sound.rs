//! Sound as numbers: what the example recordings hold, WAV files in many forms,
//! also such as nobody should write, and what comes back out of the program.

use std::path::Path;

use voxvault::audio::SoundFile;

/// Mono sound.
#[derive(Clone)]
pub(crate) struct Pcm {
    pub(crate) rate_hz: u32,
    pub(crate) samples: Vec<i16>,
}

impl Pcm {
    /// What a sound file holds; its channels are mixed.
    pub(crate) fn decode(file: &Path) -> Self {
        let mut sound = SoundFile::open(file)
            .unwrap_or_else(|error| panic!("{} is not playable: {error}", file.display()));
        let (rate_hz, channels) = (sound.shape().rate_hz(), sound.shape().channels());
        let mut samples = Vec::new();
        while let Some(block) = sound.next_block().unwrap() {
            samples.extend(block.chunks_exact(channels).map(|frame| {
                let mean = frame.iter().sum::<f32>() / channels as f32;
                (mean * 32_767.0).clamp(-32_768.0, 32_767.0) as i16
            }));
        }
        Self { rate_hz, samples }
    }

    /// A tone of 440 Hz at half of full scale.
    pub(crate) fn tone(rate_hz: u32, seconds: f64) -> Self {
        let count = (f64::from(rate_hz) * seconds) as usize;
        let step = 440.0 * std::f64::consts::TAU / f64::from(rate_hz);
        let samples = (0..count).map(|at| ((at as f64 * step).sin() * 16_000.0) as i16);
        Self {
            rate_hz,
            samples: samples.collect(),
        }
    }

    /// Nothing to hear.
    pub(crate) fn silence(rate_hz: u32, seconds: f64) -> Self {
        let count = (f64::from(rate_hz) * seconds) as usize;
        Self {
            rate_hz,
            samples: vec![0; count],
        }
    }

    /// The same at a rate that is a whole part of its own: what speech models
    /// and telephones hear. Means of neighbours keep the worst of the mirror
    /// images out.
    pub(crate) fn at(&self, rate_hz: u32) -> Self {
        assert_eq!(self.rate_hz % rate_hz, 0, "not a whole part");
        let by = (self.rate_hz / rate_hz) as usize;
        let mean = |chunk: &[i16]| {
            (chunk.iter().map(|x| i32::from(*x)).sum::<i32>() / chunk.len() as i32) as i16
        };
        Self {
            rate_hz,
            samples: self.samples.chunks(by).map(mean).collect(),
        }
    }

    /// Its length in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate_hz)
    }

    /// Samples as `--format s16le` takes them.
    pub(crate) fn raw(&self) -> Vec<u8> {
        self.samples.iter().flat_map(|x| x.to_le_bytes()).collect()
    }

    /// A WAV file of 16 bits.
    pub(crate) fn wav(&self) -> Vec<u8> {
        wav(1, self.rate_hz, 1, 16, &self.raw())
    }

    /// A WAV file of 8-bit µ-law, as telephones have it.
    pub(crate) fn mulaw_wav(&self) -> Vec<u8> {
        let sound: Vec<u8> = self.samples.iter().map(|x| mulaw(*x)).collect();
        wav(7, self.rate_hz, 1, 8, &sound)
    }

    /// A WAV file of 24 bits with so many channels, the same on each.
    pub(crate) fn wide_wav(&self, channels: u16) -> Vec<u8> {
        let sample = |x: &i16| {
            let [low, middle, high, _] = (i32::from(*x) << 8).to_le_bytes();
            [low, middle, high].repeat(usize::from(channels))
        };
        let sound: Vec<u8> = self.samples.iter().flat_map(sample).collect();
        wav(1, self.rate_hz, channels, 24, &sound)
    }
}

/// A WAV file around these bytes of sound.
fn wav(tag: u16, rate_hz: u32, channels: u16, bits: u16, sound: &[u8]) -> Vec<u8> {
    let frame = channels * bits / 8;
    let length = u32::try_from(sound.len()).unwrap();
    // What is not plain PCM says how much more there is to say: nothing.
    let extension: &[u8] = if tag == 1 { &[] } else { &[0, 0] };
    let format = 16 + extension.len() as u32;
    let mut file = Vec::with_capacity(46 + sound.len());
    file.extend(b"RIFF");
    file.extend((20 + format + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(format.to_le_bytes());
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(extension);
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(sound);
    file
}

/// The same WAV file of 16 bits with another length in its header.
pub(crate) fn claiming(mut wav: Vec<u8>, length: u32) -> Vec<u8> {
    wav[4..8].copy_from_slice(&length.saturating_add(36).to_le_bytes());
    wav[40..44].copy_from_slice(&length.to_le_bytes());
    wav
}

/// ITU-T G.711.
fn mulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let biased = u32::from(sample.unsigned_abs()).min(32_635) + 132;
    let exponent = 24 - biased.leading_zeros();
    let mantissa = (biased >> (exponent + 3)) & 0x0f;
    !(sign | (exponent << 4) as u8 | mantissa as u8)
}

/// Length, rate and bits of a WAV file, as another library reads it.
pub(crate) fn measure_wav(bytes: &[u8]) -> (f64, hound::WavSpec) {
    let reader = hound::WavReader::new(bytes).expect("a WAV file");
    let seconds = f64::from(reader.duration()) / f64::from(reader.spec().sample_rate);
    (seconds, reader.spec())
}

#[test]
fn a_lying_header_differs_from_an_honest_one_only_in_its_lengths() {
    let honest = Pcm::tone(8_000, 0.1).wav();
    assert_eq!(measure_wav(&honest).0, 0.1);
    let lying = claiming(honest.clone(), 7);
    assert_eq!(lying.len(), honest.len());
    assert_eq!(lying[44..], honest[44..]);
    assert_ne!(lying[40..44], honest[40..44]);
}
