//! CTranslate2's Whisper models, read as a stream and written as whisper.cpp's.
//!
//! Two passes: [`survey`] learns the dimensions and refuses what can't be
//! converted, [`convert`] copies the weights. Neither holds more than a few
//! kilobytes of them. The row-major order of both formats is the same, so
//! that a tensor's data are copied as they stand; only biases, layer norms and
//! positional embeddings are widened from f16 to f32.

use std::collections::HashMap;
use std::io::{Read, Write};

use super::Fault;
use super::bytes::Bytes;
use super::ggml;
use super::layout::{Dimensions, Precision, Tensor};

/// The version of the binary format that is read.
pub(super) const BINARY_VERSION: u32 = 6;
const SPECIFICATION: &str = "WhisperSpec";
const REVISION: u32 = 3;
/// large has 900.
const MOST_VARIABLES: u32 = 4096;
const LONGEST_NAME: u16 = 256;

const TYPES: [(&str, u64); 6] = [
    ("32-bit floats", 4),
    ("int8", 1),
    ("int16", 2),
    ("int32", 4),
    ("float16", 2),
    ("bfloat16", 2),
];
const HALF: u8 = 4;

/// A variable of the model, but for its data.
struct Variable {
    name: String,
    /// Outermost dimension first.
    shape: Vec<u32>,
    kind: u8,
    size: u64,
}

/// Goes through the file and hands on every variable; whoever takes it reads
/// exactly its data.
fn walk<R: Read>(
    file: R,
    mut each: impl FnMut(&Variable, &mut Bytes<R>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut bytes = Bytes::new(file);
    let version = bytes.u32()?;
    if version != BINARY_VERSION {
        return Err(Fault::UnknownVersion {
            what: format!("binary version {version}"),
        });
    }
    let specification = string(&mut bytes)?;
    let revision = bytes.u32()?;
    if specification != SPECIFICATION || revision != REVISION {
        return Err(Fault::UnknownVersion {
            what: format!("{specification} revision {revision}"),
        });
    }
    let at = bytes.at();
    let count = bytes.u32()?;
    if count > MOST_VARIABLES {
        return Err(Fault::Nonsense {
            what: "the number of variables",
            at,
        });
    }
    for _ in 0..count {
        let variable = variable(&mut bytes)?;
        each(&variable, &mut bytes)?;
    }
    let at = bytes.at();
    let aliases = bytes.u32()?;
    if aliases > MOST_VARIABLES {
        return Err(Fault::Nonsense {
            what: "the number of aliases",
            at,
        });
    }
    for _ in 0..aliases {
        string(&mut bytes)?;
        string(&mut bytes)?;
    }
    let at = bytes.at();
    if bytes.ended()? {
        Ok(())
    } else {
        Err(Fault::Trailing { at })
    }
}

fn string<R: Read>(bytes: &mut Bytes<R>) -> Result<String, Fault> {
    let at = bytes.at();
    let length = bytes.u16()?;
    if length == 0 || length > LONGEST_NAME {
        return Err(Fault::Nonsense {
            what: "a name's length",
            at,
        });
    }
    let mut text = vec![0; usize::from(length)];
    bytes.fill(&mut text)?;
    // The length counts a NUL at the end.
    if text.pop() != Some(0) {
        return Err(Fault::Nonsense { what: "a name", at });
    }
    String::from_utf8(text).map_err(|_| Fault::Nonsense { what: "a name", at })
}

fn variable<R: Read>(bytes: &mut Bytes<R>) -> Result<Variable, Fault> {
    let name = string(bytes)?;
    let at = bytes.at();
    let rank = bytes.u8()?;
    if rank > 3 {
        return Err(Fault::Nonsense {
            what: "a variable's rank",
            at,
        });
    }
    let mut shape = Vec::with_capacity(3);
    for _ in 0..rank {
        shape.push(bytes.u32()?);
    }
    let at = bytes.at();
    let kind = bytes.u8()?;
    let size = u64::from(bytes.u32()?);
    let elements = shape
        .iter()
        .try_fold(1_u64, |product, side| product.checked_mul(u64::from(*side)));
    let wanted = TYPES
        .get(usize::from(kind))
        .zip(elements)
        .and_then(|((_, each), elements)| elements.checked_mul(*each));
    if wanted == Some(size) {
        Ok(Variable {
            name,
            shape,
            kind,
            size,
        })
    } else {
        Err(Fault::Nonsense {
            what: "a variable's type or size",
            at,
        })
    }
}

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

/// What becomes of one variable: the tensors that its rows are cut into, from
/// the first on. `None` is a part that whisper.cpp has no tensor for.
struct Target {
    shape: Vec<u32>,
    parts: Vec<Option<Tensor>>,
}

fn targets(dimensions: &Dimensions) -> HashMap<String, Target> {
    let mut targets: HashMap<String, Target> = HashMap::new();
    for tensor in dimensions.tensors() {
        let Source {
            variable,
            part,
            parts,
        } = source(&tensor.name);
        // The convolutions' biases have a dimension of 1 in whisper.cpp only.
        let mut shape: Vec<u32> = tensor
            .shape
            .iter()
            .rev()
            .copied()
            .filter(|side| *side != 1)
            .collect();
        if let Some(rows) = shape.first_mut() {
            *rows *= parts as u32;
        }
        let target = targets.entry(variable).or_insert_with(|| Target {
            shape,
            parts: (0..parts).map(|_| None).collect(),
        });
        if let Some(place) = target.parts.get_mut(part) {
            *place = Some(tensor);
        }
    }
    targets
}

/// Where a tensor's data stand: a variable, and which of its equal parts.
struct Source {
    variable: String,
    part: usize,
    parts: usize,
}

fn source(tensor: &str) -> Source {
    let whole = |variable: String| Source {
        variable,
        part: 0,
        parts: 1,
    };
    let (half, rest) = tensor.split_once('.').unwrap_or((tensor, ""));
    let Some((layer, rest)) = rest
        .strip_prefix("blocks.")
        .and_then(|rest| rest.split_once('.'))
    else {
        return whole(match rest {
            "positional_embedding" => format!("{half}/position_encodings/encodings"),
            "token_embedding.weight" => format!("{half}/embeddings/weight"),
            "ln_post.weight" | "ln.weight" => format!("{half}/layer_norm/gamma"),
            "ln_post.bias" | "ln.bias" => format!("{half}/layer_norm/beta"),
            convolution => format!("{half}/{}", convolution.replace('.', "/")),
        });
    };
    let (module, what) = rest.rsplit_once('.').unwrap_or((rest, ""));
    let norm = if what == "weight" { "gamma" } else { "beta" };
    let at = |path: String, part, parts| Source {
        variable: format!("{half}/layer_{layer}/{path}"),
        part,
        parts,
    };
    match module {
        "attn_ln" => at(format!("self_attention/layer_norm/{norm}"), 0, 1),
        "attn.query" => at(format!("self_attention/linear_0/{what}"), 0, 3),
        "attn.key" => at(format!("self_attention/linear_0/{what}"), 1, 3),
        "attn.value" => at(format!("self_attention/linear_0/{what}"), 2, 3),
        "attn.out" => at(format!("self_attention/linear_1/{what}"), 0, 1),
        "cross_attn_ln" => at(format!("attention/layer_norm/{norm}"), 0, 1),
        "cross_attn.query" => at(format!("attention/linear_0/{what}"), 0, 1),
        "cross_attn.key" => at(format!("attention/linear_1/{what}"), 0, 2),
        "cross_attn.value" => at(format!("attention/linear_1/{what}"), 1, 2),
        "cross_attn.out" => at(format!("attention/linear_2/{what}"), 0, 1),
        "mlp_ln" => at(format!("ffn/layer_norm/{norm}"), 0, 1),
        "mlp.0" => at(format!("ffn/linear_0/{what}"), 0, 1),
        // `mlp.2`, the only one left.
        _ => at(format!("ffn/linear_1/{what}"), 0, 1),
    }
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
