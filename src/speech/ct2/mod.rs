//! CTranslate2's Whisper models, read as a stream and written as whisper.cpp's.
//!
//! Two passes: [`survey`] learns the dimensions and refuses what can't be
//! converted, [`convert`] copies the weights. Neither holds more than a few
//! kilobytes of them. The row-major order of both formats is the same, so
//! that a tensor's data are copied as they stand; only biases, layer norms and
//! positional embeddings are widened from f16 to f32.

use std::collections::HashMap;
use std::io::{Read, Write};

use self::targets::targets;
pub(super) use self::variables::BINARY_VERSION;
use self::variables::{HALF, TYPES, Variable, walk};
use super::Fault;
use super::bytes::Bytes;
use super::ggml;
use super::layout::{Dimensions, Precision, Tensor};

mod targets;
mod variables;

/// Learns the dimensions, and refuses everything that [`convert`] could not do.
pub(super) fn survey(file: impl Read) -> Result<Dimensions, Fault> {
    let mut heads: HashMap<String, u32> = HashMap::new();
    let mut shapes: HashMap<String, Vec<u32>> = HashMap::new();
    walk(file, |variable, bytes| {
        if variable.name.ends_with("/num_heads") && variable.shape.is_empty() && variable.kind == 2
        {
            heads.insert(variable.name.clone(), u32::from(bytes.u16()?));
            return Ok(());
        }
        bytes.skip(variable.size)?;
        if is_setting(variable) {
            return Ok(());
        }
        if variable.kind != HALF {
            let kind = TYPES
                .get(usize::from(variable.kind))
                .map_or("unknown", |(name, _)| name);
            return Err(Fault::NotHalfPrecision { kind });
        }
        match shapes.insert(variable.name.clone(), variable.shape.clone()) {
            Some(_) => Err(Fault::Twice {
                what: variable.name.clone(),
            }),
            None => Ok(()),
        }
    })?;
    let dimensions = dimensions(&heads, &shapes)?;
    dimensions.check()?;
    for (name, target) in targets(&dimensions) {
        match shapes.remove(&name) {
            None => return Err(Fault::MissingTensor { name }),
            Some(found) if found != target.shape => {
                return Err(Fault::Shape {
                    name,
                    found,
                    wanted: target.shape,
                });
            }
            Some(_) => {}
        }
    }
    match shapes.into_keys().min() {
        Some(name) => Err(Fault::UnknownTensor { name }),
        None => Ok(dimensions),
    }
}

/// Numbers that steer CTranslate2 and are no part of the network.
fn is_setting(variable: &Variable) -> bool {
    variable.shape.is_empty() || variable.name == "decoder/alignment_heads"
}

fn dimensions(
    heads: &HashMap<String, u32>,
    shapes: &HashMap<String, Vec<u32>>,
) -> Result<Dimensions, Fault> {
    let missing = |name: &str| Fault::MissingTensor {
        name: name.to_owned(),
    };
    let shape = |name: &str| shapes.get(name).ok_or_else(|| missing(name));
    let heads_of = |name: &str| heads.get(name).copied().ok_or_else(|| missing(name));
    let side = |name: &str, axis: usize| {
        shape(name).and_then(|shape| {
            shape.get(axis).copied().ok_or_else(|| Fault::Shape {
                name: name.to_owned(),
                found: shape.clone(),
                wanted: Vec::new(),
            })
        })
    };
    let layers = |half: &str| {
        let has =
            |layer: &u32| shapes.contains_key(&format!("{half}/layer_{layer}/ffn/linear_0/weight"));
        (0..64).take_while(has).count() as u32
    };
    Ok(Dimensions {
        vocabulary: side("decoder/embeddings/weight", 0)?,
        width: side("decoder/embeddings/weight", 1)?,
        audio_heads: heads_of("encoder/num_heads")?,
        audio_layers: layers("encoder"),
        text_heads: heads_of("decoder/num_heads")?,
        text_layers: layers("decoder"),
        mels: side("encoder/conv1/weight", 1)?,
    })
}

/// Writes a surveyed model as whisper.cpp's f16 file.
pub(super) fn convert(
    file: impl Read,
    dimensions: &Dimensions,
    tokens: &[Vec<u8>],
    out: &mut dyn Write,
) -> Result<(), Fault> {
    let mut targets = targets(dimensions);
    ggml::write_header(out, dimensions, tokens).map_err(Fault::Write)?;
    walk(file, |variable, bytes| {
        let Some(target) = targets.remove(&variable.name) else {
            return bytes.skip(variable.size);
        };
        let part_size = variable.size / target.parts.len() as u64;
        for part in &target.parts {
            match part {
                Some(tensor) => copy(bytes, part_size, tensor, out)?,
                None => skip_zeros(bytes, part_size, &variable.name)?,
            }
        }
        Ok(())
    })?;
    match targets.into_keys().min() {
        // Only if the file was exchanged after the survey.
        Some(name) => Err(Fault::MissingTensor { name }),
        None => Ok(()),
    }
}

fn copy<R: Read>(
    bytes: &mut Bytes<R>,
    size: u64,
    tensor: &Tensor,
    out: &mut dyn Write,
) -> Result<(), Fault> {
    ggml::write_tensor_header(out, tensor).map_err(Fault::Write)?;
    bytes.stream(size, &mut |stretch| {
        let written = match tensor.precision {
            Precision::Half | Precision::Model => out.write_all(stretch),
            Precision::Full => stretch.chunks_exact(2).try_for_each(|half| {
                out.write_all(&widened(u16::from_le_bytes([half[0], half[1]])).to_le_bytes())
            }),
        };
        written.map_err(Fault::Write)
    })
}

/// The keys' bias, which Whisper does not have and CTranslate2 fills with 0.
fn skip_zeros<R: Read>(bytes: &mut Bytes<R>, size: u64, name: &str) -> Result<(), Fault> {
    bytes.stream(size, &mut |stretch| {
        if stretch
            .chunks_exact(2)
            .all(|half| half[0] == 0 && half[1] & 0x7F == 0)
        {
            Ok(())
        } else {
            Err(Fault::UnknownTensor {
                name: format!("{name} (a bias of the keys)"),
            })
        }
    })
}

/// The f32 of an IEEE 754 half-precision number.
fn widened(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let exponent = u32::from(half >> 10) & 0x1F;
    let fraction = u32::from(half) & 0x3FF;
    let magnitude = match exponent {
        // Subnormal: the fraction counts steps of 2⁻²⁴, exact in f32.
        0 => (fraction as f32 * 2.0_f32.powi(-24)).to_bits(),
        0x1F => 0x7F80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

    use std::io::Cursor;

    use super::super::samples;
    use super::*;

    fn survey_of(variables: &[samples::Variable]) -> Result<Dimensions, Fault> {
        survey(samples::ctranslate2(variables).as_slice())
    }

    fn changed(name: &str, change: impl Fn(&mut samples::Variable)) -> Vec<samples::Variable> {
        let mut variables = samples::variables();
        variables
            .iter_mut()
            .filter(|variable| variable.0 == name)
            .for_each(change);
        variables
    }

    fn converted(file: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        convert(file, &survey(file)?, &samples::tokens(), &mut out)?;
        Ok(out)
    }

    #[test]
    fn a_converted_model_is_one_that_whisper_cpp_loads() {
        let out = converted(&samples::ctranslate2(&samples::variables())).unwrap();
        let facts = ggml::check(Cursor::new(&out), out.len() as u64).unwrap();
        assert_eq!(facts.dimensions, samples::SMALL);
        assert_eq!(out.len(), samples::whisper_cpp().len());
        let widened = 1.0_f32.to_le_bytes();
        let name = b"encoder.blocks.0.attn.value.bias";
        let at = out
            .windows(name.len())
            .position(|bytes| bytes == name)
            .unwrap()
            + name.len();
        assert_eq!(out[at..at + 8], [widened, widened].concat());
    }

    #[test]
    fn a_model_cut_off_anywhere_is_refused() {
        let file = samples::ctranslate2(&samples::variables());
        for length in (0..file.len())
            .step_by(64)
            .chain(file.len() - 64..file.len())
        {
            assert!(survey(&file[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_byte_too_many_is_refused() {
        let mut file = samples::ctranslate2(&samples::variables());
        file.push(0);
        assert!(matches!(
            survey(file.as_slice()),
            Err(Fault::Trailing { .. })
        ));
    }

    #[test]
    fn no_changed_bit_makes_it_panic_or_allocate() {
        let mut file = samples::ctranslate2(&samples::variables());
        for index in (0..300).chain(file.len() - 2_500..file.len()).step_by(3) {
            for bit in [0x01, 0x80] {
                file[index] ^= bit;
                let _ = converted(&file);
                file[index] ^= bit;
            }
        }
    }

    #[test]
    fn quantised_and_full_precision_models_are_refused() {
        let weight = "encoder/conv2/weight";
        for (kind, each) in [(0, 4), (1, 1), (5, 2)] {
            let variables = changed(weight, |variable| {
                let count = variable.3.len() / 2;
                variable.2 = kind;
                variable.3 = vec![0; count * each];
            });
            let what = survey_of(&variables);
            assert!(
                matches!(what, Err(Fault::NotHalfPrecision { .. })),
                "{what:?}"
            );
        }
    }

    #[test]
    fn missing_strange_and_misshapen_variables_are_named() {
        let mut fewer = samples::variables();
        fewer.retain(|variable| variable.0 != "encoder/conv2/bias");
        assert!(matches!(
            survey_of(&fewer),
            Err(Fault::MissingTensor { .. })
        ));
        let strange = changed("encoder/conv2/bias", |variable| variable.0.push('x'));
        assert!(survey_of(&strange).is_err());
        let mut more = samples::variables();
        more.push((
            "decoder/projection/weight".to_owned(),
            vec![1],
            4,
            vec![0, 0],
        ));
        assert!(matches!(survey_of(&more), Err(Fault::UnknownTensor { .. })));
        let misshapen = changed("encoder/conv2/weight", |variable| variable.1.swap(0, 2));
        assert!(matches!(survey_of(&misshapen), Err(Fault::Shape { .. })));
    }

    #[test]
    fn a_bias_of_the_keys_is_refused_because_it_would_be_lost() {
        let variables = changed("decoder/layer_0/self_attention/linear_0/bias", |variable| {
            variable.3[5] = 1
        });
        let what = converted(&samples::ctranslate2(&variables));
        assert!(matches!(what, Err(Fault::UnknownTensor { .. })), "{what:?}");
    }

    #[test]
    fn halves_are_widened_exactly() {
        for (half, wanted) in [
            (0x0000, 0.0),
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65_504.0),
            (0x0400, 2.0_f32.powi(-14)),
            (0x0001, 2.0_f32.powi(-24)),
            (0x83FF, -1023.0 * 2.0_f32.powi(-24)),
            (0x3555, 0.333_251_95),
            (0x7C00, f32::INFINITY),
        ] {
            assert_eq!(widened(half), wanted, "{half:#06x}");
        }
        assert!(widened(0x7E00).is_nan());
        assert!(widened(0x8000).is_sign_negative());
    }
}
