//! Which variable of CTranslate2's holds which tensors of whisper.cpp's.

use std::collections::HashMap;

use crate::speech::layout::{Dimensions, Tensor};

/// What becomes of one variable: the tensors that its rows are cut into, from
/// the first on. `None` is a part that whisper.cpp has no tensor for.
pub(super) struct Target {
    pub(super) shape: Vec<u32>,
    pub(super) parts: Vec<Option<Tensor>>,
}

pub(super) fn targets(dimensions: &Dimensions) -> HashMap<String, Target> {
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
