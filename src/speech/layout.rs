//! What a Whisper model is made of: its dimensions, and the tensors that
//! follow from them.
//!
//! One table serves both sides, the converter and the checker. The shapes are
//! those that whisper.cpp's loader creates.

use super::Fault;

/// Frames of sound the encoder sees, 20 ms each: 30 s.
pub(super) const AUDIO_CONTEXT: u32 = 1500;
/// Tokens the decoder sees.
pub(super) const TEXT_CONTEXT: u32 = 448;
/// Rows of the mel filter bank's frequency axis.
pub(super) const FFT_BINS: u32 = 201;

/// Vocabulary sizes of the English models, the multilingual ones, and the
/// multilingual ones with Cantonese. whisper.cpp derives its special tokens
/// from nothing else.
const VOCABULARIES: [u32; 3] = [51_864, 51_865, 51_866];

/// The dimensions of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dimensions {
    /// Tokens, special ones included.
    pub(super) vocabulary: u32,
    /// Width of encoder and decoder.
    pub(super) width: u32,
    /// Attention heads of the encoder.
    pub(super) audio_heads: u32,
    /// Layers of the encoder.
    pub(super) audio_layers: u32,
    /// Attention heads of the decoder.
    pub(super) text_heads: u32,
    /// Layers of the decoder.
    pub(super) text_layers: u32,
    /// Mel bands.
    pub(super) mels: u32,
}

impl Dimensions {
    /// Refuses what whisper.cpp would stumble over, or allocate without end for.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let wrong = |what, value: u32| {
            Err(Fault::Dimension {
                what,
                value: i64::from(value),
            })
        };
        if !VOCABULARIES.contains(&self.vocabulary) {
            return wrong("n_vocab", self.vocabulary);
        }
        if self.width == 0 || self.width > 2048 {
            return wrong("n_state", self.width);
        }
        for (what, heads) in [
            ("n_audio_head", self.audio_heads),
            ("n_text_head", self.text_heads),
        ] {
            if heads == 0 || !self.width.is_multiple_of(heads) {
                return wrong(what, heads);
            }
        }
        // whisper.cpp tells the sizes apart by the encoder's layers.
        if ![4, 6, 12, 24, 32].contains(&self.audio_layers) {
            return wrong("n_audio_layer", self.audio_layers);
        }
        if self.text_layers == 0 || self.text_layers > 32 {
            return wrong("n_text_layer", self.text_layers);
        }
        if self.mels != 80 && self.mels != 128 {
            return wrong("n_mels", self.mels);
        }
        Ok(())
    }

    /// Whether it understands more than English.
    pub(super) const fn multilingual(&self) -> bool {
        self.vocabulary > VOCABULARIES[0]
    }

    /// Tokens before `<|endoftext|>`, which is where the special ones begin.
    pub(super) const fn plain_tokens(&self) -> u32 {
        if self.multilingual() { 50_257 } else { 50_256 }
    }

    /// The name under which the model is known: `tiny.en`, `large-v3-turbo`.
    pub(super) fn name(&self) -> String {
        let size = match (self.audio_layers, self.width) {
            (4, 384) => "tiny",
            (6, 512) => "base",
            (12, 768) => "small",
            (24, 1024) => "medium",
            (32, 1280) if self.vocabulary == VOCABULARIES[2] => "large-v3",
            (32, 1280) => "large",
            _ => "whisper",
        };
        let slimmed = self.text_layers < self.audio_layers;
        let (before, after) = match (size, self.text_layers) {
            ("large-v3", 4) => ("", "-turbo"),
            _ if slimmed => ("distil-", ""),
            _ => ("", ""),
        };
        let english = if self.multilingual() { "" } else { ".en" };
        format!("{before}{size}{after}{english}")
    }

    /// Every tensor of the model, in whisper.cpp's names.
    pub(super) fn tensors(&self) -> Vec<Tensor> {
        let n = self.width;
        let mut all = vec![
            Tensor::plain("encoder.positional_embedding", &[n, AUDIO_CONTEXT]),
            Tensor::conv("encoder.conv1.weight", &[3, self.mels, n]),
            Tensor::plain("encoder.conv1.bias", &[1, n]),
            Tensor::conv("encoder.conv2.weight", &[3, n, n]),
            Tensor::plain("encoder.conv2.bias", &[1, n]),
            Tensor::plain("encoder.ln_post.weight", &[n]),
            Tensor::plain("encoder.ln_post.bias", &[n]),
            Tensor::plain("decoder.positional_embedding", &[n, TEXT_CONTEXT]),
            Tensor::weight("decoder.token_embedding.weight", &[n, self.vocabulary]),
            Tensor::plain("decoder.ln.weight", &[n]),
            Tensor::plain("decoder.ln.bias", &[n]),
        ];
        for layer in 0..self.audio_layers {
            block(&mut all, &format!("encoder.blocks.{layer}"), n, &["attn"]);
        }
        for layer in 0..self.text_layers {
            block(
                &mut all,
                &format!("decoder.blocks.{layer}"),
                n,
                &["attn", "cross_attn"],
            );
        }
        all
    }
}

fn block(all: &mut Vec<Tensor>, block: &str, n: u32, attentions: &[&str]) {
    for attention in attentions {
        for part in ["query", "key", "value", "out"] {
            all.push(Tensor::weight(
                &format!("{block}.{attention}.{part}.weight"),
                &[n, n],
            ));
            // Whisper's keys have no bias.
            if part != "key" {
                all.push(Tensor::plain(
                    &format!("{block}.{attention}.{part}.bias"),
                    &[n],
                ));
            }
        }
        all.push(Tensor::plain(
            &format!("{block}.{attention}_ln.weight"),
            &[n],
        ));
        all.push(Tensor::plain(&format!("{block}.{attention}_ln.bias"), &[n]));
    }
    all.push(Tensor::plain(&format!("{block}.mlp_ln.weight"), &[n]));
    all.push(Tensor::plain(&format!("{block}.mlp_ln.bias"), &[n]));
    all.push(Tensor::weight(
        &format!("{block}.mlp.0.weight"),
        &[n, 4 * n],
    ));
    all.push(Tensor::plain(&format!("{block}.mlp.0.bias"), &[4 * n]));
    all.push(Tensor::weight(
        &format!("{block}.mlp.2.weight"),
        &[4 * n, n],
    ));
    all.push(Tensor::plain(&format!("{block}.mlp.2.bias"), &[n]));
}

/// How precisely a tensor is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// Always f32: biases, layer norms, positional embeddings.
    Full,
    /// Always f16: the two convolutions, which whisper.cpp never quantises.
    Half,
    /// As the whole model: f16 or quantised.
    Model,
}

/// A tensor as whisper.cpp wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tensor {
    /// whisper.cpp's name.
    pub(super) name: String,
    /// Dimensions, innermost first.
    pub(super) shape: Vec<u32>,
    /// How precisely it is kept.
    pub(super) precision: Precision,
}

impl Tensor {
    fn plain(name: &str, shape: &[u32]) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            precision: Precision::Full,
        }
    }

    fn conv(name: &str, shape: &[u32]) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            precision: Precision::Half,
        }
    }

    fn weight(name: &str, shape: &[u32]) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            precision: Precision::Model,
        }
    }

    /// Numbers in it.
    pub(super) fn elements(&self) -> u64 {
        self.shape
            .iter()
            .map(|dimension| u64::from(*dimension))
            .product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY_EN: Dimensions = Dimensions {
        vocabulary: 51_864,
        width: 384,
        audio_heads: 6,
        audio_layers: 4,
        text_heads: 6,
        text_layers: 4,
        mels: 80,
    };

    #[test]
    fn the_published_models_have_as_many_tensors_as_whisper_cpp_creates() {
        assert_eq!(TINY_EN.tensors().len(), 167);
        let base = Dimensions {
            vocabulary: 51_865,
            audio_layers: 6,
            text_layers: 6,
            ..TINY_EN
        };
        assert_eq!(base.tensors().len(), 245);
    }

    #[test]
    fn models_are_named_after_their_dimensions() {
        assert_eq!(TINY_EN.name(), "tiny.en");
        let turbo = Dimensions {
            vocabulary: 51_866,
            width: 1280,
            audio_heads: 20,
            audio_layers: 32,
            text_heads: 20,
            text_layers: 4,
            mels: 128,
        };
        assert_eq!(turbo.name(), "large-v3-turbo");
        assert_eq!(
            Dimensions {
                text_layers: 32,
                ..turbo
            }
            .name(),
            "large-v3"
        );
        assert_eq!(
            Dimensions {
                text_layers: 2,
                ..turbo
            }
            .name(),
            "distil-large-v3"
        );
    }

    #[test]
    fn dimensions_that_no_model_has_are_refused() {
        assert!(TINY_EN.check().is_ok());
        for wrong in [
            Dimensions {
                vocabulary: 32_000,
                ..TINY_EN
            },
            Dimensions {
                width: 0,
                ..TINY_EN
            },
            Dimensions {
                width: 1 << 30,
                ..TINY_EN
            },
            Dimensions {
                audio_heads: 0,
                ..TINY_EN
            },
            Dimensions {
                text_heads: 7,
                ..TINY_EN
            },
            Dimensions {
                audio_layers: 5,
                ..TINY_EN
            },
            Dimensions {
                text_layers: 4_000_000,
                ..TINY_EN
            },
            Dimensions { mels: 0, ..TINY_EN },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
