//! whisper.cpp's model files: the header, the vocabulary and the tensors,
//! checked before whisper.cpp ever sees them.
//!
//! whisper.cpp aborts the process on some files that it can't use and
//! allocates on the word of others, so everything it relies on is checked
//! here: every dimension, every tensor's name, type and shape, and the size
//! to the byte. The weights themselves are not judged.

mod weights;

use std::collections::HashMap;
use std::io::{BufRead, Seek, Write};

use super::Fault;
use super::bytes::Bytes;
use super::layout::{AUDIO_CONTEXT, Dimensions, FFT_BINS, TEXT_CONTEXT, Tensor};
use super::mel;
use super::vocabulary::LONGEST_TOKEN;
use weights::{HALF, Weights};

/// `ggml`, read as a little-endian number.
pub(super) const MAGIC: u32 = 0x6767_6d6c;
/// No tensor of a Whisper model has a longer name.
const LONGEST_NAME: i32 = 128;

/// What a checked file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// Its dimensions.
    pub(super) dimensions: Dimensions,
    /// How its weights are kept.
    weights: Weights,
}

impl Facts {
    /// The name under which the model is known: `tiny.en`, `base-q5_1`.
    pub(super) fn name(&self) -> String {
        let name = self.dimensions.name();
        if self.weights == HALF {
            name
        } else {
            format!("{name}-{}", self.weights.name)
        }
    }
}

/// Checks a whole file but for the weights' values; `length` is its size.
pub(super) fn check<R: BufRead + Seek>(file: R, length: u64) -> Result<Facts, Fault> {
    let mut bytes = Bytes::new(file);
    if bytes.u32()? != MAGIC {
        return Err(Fault::NotAModel);
    }
    let facts = header(&mut bytes)?;
    let bands = bytes.i32()?;
    let bins = bytes.i32()?;
    if i64::from(bands) != i64::from(facts.dimensions.mels) {
        return Err(Fault::Dimension {
            what: "n_mel",
            value: i64::from(bands),
        });
    }
    if i64::from(bins) != i64::from(FFT_BINS) {
        return Err(Fault::Dimension {
            what: "n_fft",
            value: i64::from(bins),
        });
    }
    bytes.jump(4 * u64::from(facts.dimensions.mels * FFT_BINS), length)?;
    vocabulary(&mut bytes, &facts.dimensions, length)?;
    tensors(&mut bytes, &facts, length)?;
    Ok(facts)
}

fn header<R: BufRead + Seek>(bytes: &mut Bytes<R>) -> Result<Facts, Fault> {
    let mut next = |what: &'static str| {
        let value = bytes.i32()?;
        let positive = u32::try_from(value);
        positive.map_err(|_| Fault::Dimension {
            what,
            value: i64::from(value),
        })
    };
    let vocabulary = next("n_vocab")?;
    let audio_context = next("n_audio_ctx")?;
    let width = next("n_audio_state")?;
    let audio_heads = next("n_audio_head")?;
    let audio_layers = next("n_audio_layer")?;
    let text_context = next("n_text_ctx")?;
    let text_width = next("n_text_state")?;
    let text_heads = next("n_text_head")?;
    let text_layers = next("n_text_layer")?;
    let mels = next("n_mels")?;
    let ftype = bytes.i32()?;
    let dimensions = Dimensions {
        vocabulary,
        width,
        audio_heads,
        audio_layers,
        text_heads,
        text_layers,
        mels,
    };
    dimensions.check()?;
    for (what, value, wanted) in [
        ("n_audio_ctx", audio_context, AUDIO_CONTEXT),
        ("n_text_ctx", text_context, TEXT_CONTEXT),
        ("n_text_state", text_width, width),
    ] {
        if value != wanted {
            return Err(Fault::Dimension {
                what,
                value: i64::from(value),
            });
        }
    }
    Ok(Facts {
        dimensions,
        weights: Weights::of(ftype)?,
    })
}

fn vocabulary<R: BufRead + Seek>(
    bytes: &mut Bytes<R>,
    dimensions: &Dimensions,
    length: u64,
) -> Result<(), Fault> {
    let at = bytes.at();
    let count = bytes.u32()?;
    if count < dimensions.plain_tokens() || count > dimensions.vocabulary {
        return Err(Fault::Nonsense {
            what: "the number of tokens",
            at,
        });
    }
    for _ in 0..count {
        let at = bytes.at();
        let token = bytes.u32()?;
        if token > LONGEST_TOKEN {
            return Err(Fault::Nonsense {
                what: "a token's length",
                at,
            });
        }
        bytes.jump(u64::from(token), length)?;
    }
    Ok(())
}

fn tensors<R: BufRead + Seek>(
    bytes: &mut Bytes<R>,
    facts: &Facts,
    length: u64,
) -> Result<(), Fault> {
    let mut wanted: HashMap<String, Tensor> = facts
        .dimensions
        .tensors()
        .into_iter()
        .map(|tensor| (tensor.name.clone(), tensor))
        .collect();
    while !wanted.is_empty() {
        // The file ends between two tensors: say which one is not there.
        if bytes.at() == length {
            let name = wanted.into_keys().min().unwrap_or_default();
            return Err(Fault::MissingTensor { name });
        }
        tensor(bytes, facts.weights, &mut wanted, length)?;
    }
    if bytes.at() < length {
        Err(Fault::Trailing { at: bytes.at() })
    } else {
        Ok(())
    }
}

fn tensor<R: BufRead + Seek>(
    bytes: &mut Bytes<R>,
    weights: Weights,
    wanted: &mut HashMap<String, Tensor>,
    length: u64,
) -> Result<(), Fault> {
    let at = bytes.at();
    let rank = bytes.i32()?;
    let name_length = bytes.i32()?;
    let found_type = bytes.i32()?;
    if !(1..=3).contains(&rank) {
        return Err(Fault::Nonsense {
            what: "a tensor's rank",
            at,
        });
    }
    if !(1..=LONGEST_NAME).contains(&name_length) {
        return Err(Fault::Nonsense {
            what: "a tensor's name",
            at,
        });
    }
    let mut found = Vec::with_capacity(3);
    for _ in 0..rank {
        found.push(bytes.u32()?);
    }
    let mut name = vec![0; name_length as usize];
    bytes.fill(&mut name)?;
    let name = String::from_utf8_lossy(&name).into_owned();
    let Some(tensor) = wanted.remove(&name) else {
        return Err(Fault::UnknownTensor { name });
    };
    if found != tensor.shape {
        return Err(Fault::Shape {
            name,
            found,
            wanted: tensor.shape,
        });
    }
    let kept = weights.for_tensor(&tensor);
    if found_type != kept.tensor_type {
        return Err(Fault::TensorType {
            name,
            found: found_type,
            wanted: kept.tensor_type,
        });
    }
    let Some(size) = kept.bytes_of(&tensor) else {
        return Err(Fault::Shape {
            name,
            found,
            wanted: tensor.shape,
        });
    };
    bytes.jump(size, length)
}

/// Size of the f16 file of a model with these tokens.
pub(super) fn half_precision_bytes(dimensions: &Dimensions, tokens: &[Vec<u8>]) -> u64 {
    let tokens: u64 = tokens.iter().map(|token| 4 + token.len() as u64).sum();
    let tensor = |tensor: &Tensor| {
        let head = 12 + 4 * tensor.shape.len() as u64 + tensor.name.len() as u64;
        head + HALF.for_tensor(tensor).bytes_of(tensor).unwrap_or_default()
    };
    let tensors: u64 = dimensions.tensors().iter().map(tensor).sum();
    // Fourteen numbers, the filters, the number of tokens.
    56 + 4 * u64::from(dimensions.mels * FFT_BINS) + 4 + tokens + tensors
}

/// Writes everything of an f16 file that stands before the tensors.
pub(super) fn write_header(
    out: &mut dyn Write,
    dimensions: &Dimensions,
    tokens: &[Vec<u8>],
) -> std::io::Result<()> {
    out.write_all(&MAGIC.to_le_bytes())?;
    for number in [
        dimensions.vocabulary,
        AUDIO_CONTEXT,
        dimensions.width,
        dimensions.audio_heads,
        dimensions.audio_layers,
        TEXT_CONTEXT,
        dimensions.width,
        dimensions.text_heads,
        dimensions.text_layers,
        dimensions.mels,
        1, // ftype: f16
        dimensions.mels,
        FFT_BINS,
    ] {
        out.write_all(&number.to_le_bytes())?;
    }
    for weight in mel::filters(dimensions.mels) {
        out.write_all(&weight.to_le_bytes())?;
    }
    out.write_all(&(tokens.len() as u32).to_le_bytes())?;
    for token in tokens {
        out.write_all(&(token.len() as u32).to_le_bytes())?;
        out.write_all(token)?;
    }
    Ok(())
}

/// Writes what stands before a tensor's data in an f16 file.
pub(super) fn write_tensor_header(out: &mut dyn Write, tensor: &Tensor) -> std::io::Result<()> {
    let kept = HALF.for_tensor(tensor);
    out.write_all(&(tensor.shape.len() as u32).to_le_bytes())?;
    out.write_all(&(tensor.name.len() as u32).to_le_bytes())?;
    out.write_all(&kept.tensor_type.to_le_bytes())?;
    for dimension in &tensor.shape {
        out.write_all(&dimension.to_le_bytes())?;
    }
    out.write_all(tensor.name.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

    use std::io::Cursor;

    use super::super::samples;
    use super::*;

    fn check_bytes(bytes: &[u8]) -> Result<Facts, Fault> {
        check(Cursor::new(bytes), bytes.len() as u64)
    }

    /// The same file with one of its header's numbers changed.
    fn with_number(index: usize, value: i32) -> Result<Facts, Fault> {
        let mut file = samples::whisper_cpp();
        file[index * 4..index * 4 + 4].copy_from_slice(&value.to_le_bytes());
        check_bytes(&file)
    }

    #[test]
    fn a_whole_file_is_taken() {
        let file = samples::whisper_cpp();
        assert_eq!(check_bytes(&file).unwrap().dimensions, samples::SMALL);
        let size = half_precision_bytes(&samples::SMALL, &samples::tokens());
        assert_eq!(file.len() as u64, size);
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused() {
        let file = samples::whisper_cpp();
        for length in (0..file.len())
            .step_by(64)
            .chain(file.len() - 64..file.len())
        {
            assert!(check_bytes(&file[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_byte_too_many_is_refused() {
        let mut file = samples::whisper_cpp();
        file.push(0);
        assert!(matches!(check_bytes(&file), Err(Fault::Trailing { .. })));
    }

    #[test]
    fn no_changed_bit_makes_it_panic_or_allocate() {
        let mut file = samples::whisper_cpp();
        let weights = file.len() - 4_000;
        for index in (0..64)
            .chain(64_376..64_400)
            .chain((weights..file.len()).step_by(3))
        {
            for bit in [0x01, 0x40, 0x80] {
                file[index] ^= bit;
                // Weights may change unseen; only the structure is judged.
                let _ = check_bytes(&file);
                file[index] ^= bit;
            }
        }
    }

    #[test]
    fn every_reason_is_told() {
        assert!(matches!(with_number(0, 0x1234), Err(Fault::NotAModel)));
        for index in 1..=10 {
            for absurd in [0, -1, i32::MAX] {
                let what = with_number(index, absurd);
                assert!(
                    matches!(what, Err(Fault::Dimension { .. })),
                    "{index}: {what:?}"
                );
            }
        }
        assert!(matches!(with_number(11, 0), Err(Fault::FullPrecision)));
        for unknown in [4, 7, 1007, 2010, 2099, -1, i32::MIN] {
            let what = with_number(11, unknown);
            assert!(
                matches!(what, Err(Fault::UnknownQuantisation { .. })),
                "{unknown}: {what:?}"
            );
        }
        assert!(matches!(with_number(12, 81), Err(Fault::Dimension { .. })));
        assert!(matches!(with_number(13, 400), Err(Fault::Dimension { .. })));
    }
}
