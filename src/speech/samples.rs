//! The smallest models that the parsers accept, built in memory for tests.

use std::io::Write;

use super::ggml;
use super::layout::{Dimensions, Precision};

/// Two numbers wide, and with every tensor that a model of its layers has.
pub(super) const SMALL: Dimensions = Dimensions {
    vocabulary: 51_864,
    width: 2,
    audio_heads: 1,
    audio_layers: 4,
    text_heads: 1,
    text_layers: 1,
    mels: 80,
};

/// Tokens of no bytes, as many as the model must have.
pub(super) fn tokens() -> Vec<Vec<u8>> {
    vec![Vec::new(); SMALL.plain_tokens() as usize]
}

/// A whisper.cpp file.
pub(super) fn whisper_cpp() -> Vec<u8> {
    let mut file = Vec::new();
    let written = ggml::write_header(&mut file, &SMALL, &tokens()).and_then(|()| {
        SMALL.tensors().iter().try_for_each(|tensor| {
            ggml::write_tensor_header(&mut file, tensor)?;
            let each = if tensor.precision == Precision::Full {
                4
            } else {
                2
            };
            file.write_all(&vec![0; tensor.elements() as usize * each])
        })
    });
    assert!(written.is_ok());
    file
}

/// A variable of a CTranslate2 file: name, shape, type, data.
pub(super) type Variable = (String, Vec<u32>, u8, Vec<u8>);

/// The variables of the same model in CTranslate2's form. All weights are 1.0.
pub(super) fn variables() -> Vec<Variable> {
    let mut all = vec![
        ("decoder/num_heads".to_owned(), vec![], 2, vec![1, 0]),
        ("encoder/num_heads".to_owned(), vec![], 2, vec![1, 0]),
        ("decoder/pre_norm".to_owned(), vec![], 1, vec![1]),
    ];
    let n = SMALL.width;
    let mut add = |name: String, shape: &[u32]| {
        let count = shape.iter().product::<u32>() as usize;
        all.push((name, shape.to_vec(), 4, [0x00, 0x3C].repeat(count)));
    };
    for (half, context, layers) in [("encoder", 1500, 4), ("decoder", 448, 1)] {
        add(
            format!("{half}/position_encodings/encodings"),
            &[context, n],
        );
        norm(&mut add, &format!("{half}/layer_norm"), n);
        for layer in 0..layers {
            let at = format!("{half}/layer_{layer}");
            norm(&mut add, &format!("{at}/self_attention/layer_norm"), n);
            linear(&mut add, &format!("{at}/self_attention/linear_0"), 3 * n, n);
            linear(&mut add, &format!("{at}/self_attention/linear_1"), n, n);
            if half == "decoder" {
                norm(&mut add, &format!("{at}/attention/layer_norm"), n);
                linear(&mut add, &format!("{at}/attention/linear_0"), n, n);
                linear(&mut add, &format!("{at}/attention/linear_1"), 2 * n, n);
                linear(&mut add, &format!("{at}/attention/linear_2"), n, n);
            }
            norm(&mut add, &format!("{at}/ffn/layer_norm"), n);
            linear(&mut add, &format!("{at}/ffn/linear_0"), 4 * n, n);
            linear(&mut add, &format!("{at}/ffn/linear_1"), n, 4 * n);
        }
    }
    add("encoder/conv1/weight".to_owned(), &[n, 80, 3]);
    add("encoder/conv1/bias".to_owned(), &[n]);
    add("encoder/conv2/weight".to_owned(), &[n, n, 3]);
    add("encoder/conv2/bias".to_owned(), &[n]);
    add(
        "decoder/embeddings/weight".to_owned(),
        &[SMALL.vocabulary, n],
    );
    // The keys have no bias: the middle third, or the first half.
    let width = 2 * n as usize;
    for (name, _, _, data) in &mut all {
        if name.ends_with("self_attention/linear_0/bias") {
            data[width..2 * width].fill(0);
        } else if name.ends_with("/attention/linear_1/bias") {
            data[..width].fill(0);
        }
    }
    all.sort();
    all
}

fn norm(add: &mut dyn FnMut(String, &[u32]), at: &str, n: u32) {
    add(format!("{at}/gamma"), &[n]);
    add(format!("{at}/beta"), &[n]);
}

fn linear(add: &mut dyn FnMut(String, &[u32]), at: &str, rows: u32, columns: u32) {
    add(format!("{at}/weight"), &[rows, columns]);
    add(format!("{at}/bias"), &[rows]);
}

/// A CTranslate2 file of these variables.
pub(super) fn ctranslate2(variables: &[Variable]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(6_u32.to_le_bytes());
    string(&mut file, "WhisperSpec");
    file.extend(3_u32.to_le_bytes());
    file.extend((variables.len() as u32).to_le_bytes());
    for (name, shape, kind, data) in variables {
        string(&mut file, name);
        file.push(shape.len() as u8);
        for side in shape {
            file.extend(side.to_le_bytes());
        }
        file.push(*kind);
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
    }
    file.extend(1_u32.to_le_bytes());
    string(&mut file, "decoder/projection/weight");
    string(&mut file, "decoder/embeddings/weight");
    file
}

fn string(file: &mut Vec<u8>, text: &str) {
    file.extend((text.len() as u16 + 1).to_le_bytes());
    file.extend(text.as_bytes());
    file.push(0);
}

/// `vocabulary.txt` of the model.
pub(super) fn vocabulary_txt() -> String {
    format!(
        "{}<|endoftext|>\n",
        "\n".repeat(SMALL.plain_tokens() as usize)
    )
}
