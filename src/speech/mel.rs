//! Whisper's mel filter bank, which CTranslate2 models do not carry.
//!
//! The "slaney" filters of librosa: 0 to 8,000 Hz, linear below 1,000 Hz and
//! logarithmic above, each triangle of unit area. They differ from the stored
//! filters of openai-whisper by 1.9e-9 at most.

use super::layout::FFT_BINS;

/// Distance of two bins of a 400-point transform at 16 kHz.
const BIN_HZ: f64 = 40.0;
const TOP_HZ: f64 = 8_000.0;
/// Where the scale turns from linear to logarithmic.
const BREAK_HZ: f64 = 1_000.0;
const BREAK_MEL: f64 = 15.0;
const LINEAR_HZ_PER_MEL: f64 = 200.0 / 3.0;

fn log_step() -> f64 {
    6.4_f64.ln() / 27.0
}

fn mel_of(hz: f64) -> f64 {
    if hz < BREAK_HZ {
        hz / LINEAR_HZ_PER_MEL
    } else {
        BREAK_MEL + (hz / BREAK_HZ).ln() / log_step()
    }
}

fn hz_of(mel: f64) -> f64 {
    if mel < BREAK_MEL {
        mel * LINEAR_HZ_PER_MEL
    } else {
        BREAK_HZ * ((mel - BREAK_MEL) * log_step()).exp()
    }
}

/// The filters of `bands` mel bands, row by row, each over 201 bins.
pub(super) fn filters(bands: u32) -> Vec<f32> {
    let step = mel_of(TOP_HZ) / f64::from(bands + 1);
    let edge_hz = |index: u32| hz_of(step * f64::from(index));
    let mut filters = Vec::with_capacity((bands * FFT_BINS) as usize);
    for band in 0..bands {
        let (low, middle, high) = (edge_hz(band), edge_hz(band + 1), edge_hz(band + 2));
        let unit_area = 2.0 / (high - low);
        for bin in 0..FFT_BINS {
            let hz = f64::from(bin) * BIN_HZ;
            let rising = (hz - low) / (middle - low);
            let falling = (high - hz) / (high - middle);
            filters.push((rising.min(falling).max(0.0) * unit_area) as f32);
        }
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_and_its_inverse_agree() {
        for hz in [0.0, 40.0, 999.9, 1_000.0, 1_000.1, 4_000.0, 8_000.0] {
            assert!((hz_of(mel_of(hz)) - hz).abs() < 1e-9, "{hz}");
        }
    }

    #[test]
    fn the_first_filters_are_those_of_openai_whisper() {
        let filters = filters(80);
        assert_eq!(filters.len(), 16_080);
        assert_eq!(filters[0], 0.0);
        assert!((filters[1] - 0.024_862_593).abs() < 1e-8, "{}", filters[1]);
        let second_band = &filters[FFT_BINS as usize..];
        assert!(
            (second_band[1] - 0.001_990_821).abs() < 1e-8,
            "{}",
            second_band[1]
        );
    }

    #[test]
    fn every_band_hears_something() {
        for bands in [80, 128] {
            for (band, row) in filters(bands).chunks(FFT_BINS as usize).enumerate() {
                assert!(
                    row.iter().any(|weight| *weight > 0.0),
                    "band {band} of {bands}"
                );
            }
        }
    }
}
