//! How the weights of a file are kept: as they are, or quantised in blocks.

use crate::speech::Fault;
use crate::speech::layout::{Precision, Tensor};

/// A quantised file's type is that of its weights plus a thousand times this.
const QUANTISATION_VERSION: i32 = 2;
const F32: i32 = 0;
const F16: i32 = 1;

/// How a file's weights are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::speech) struct Weights {
    /// ggml's number of the tensors' type.
    pub(super) tensor_type: i32,
    /// Numbers in a block.
    block: u64,
    /// Bytes of a block.
    block_bytes: u64,
    /// The name whisper.cpp gives it.
    pub(super) name: &'static str,
}

pub(super) const HALF: Weights = Weights {
    tensor_type: F16,
    block: 1,
    block_bytes: 2,
    name: "f16",
};
const FULL: Weights = Weights {
    tensor_type: F32,
    block: 1,
    block_bytes: 4,
    name: "f32",
};

impl Weights {
    pub(super) fn of(ftype: i32) -> Result<Self, Fault> {
        let quantised = |tensor_type, block_bytes, name| {
            if ftype / 1000 == QUANTISATION_VERSION {
                Ok(Self {
                    tensor_type,
                    block: 32,
                    block_bytes,
                    name,
                })
            } else {
                Err(Fault::UnknownQuantisation { ftype })
            }
        };
        match ftype.checked_rem(1000) {
            Some(0) => Err(Fault::FullPrecision),
            Some(1) if ftype == 1 => Ok(HALF),
            Some(2) => quantised(2, 18, "q4_0"),
            Some(3) => quantised(3, 20, "q4_1"),
            Some(7) => quantised(8, 34, "q8_0"),
            Some(8) => quantised(6, 22, "q5_0"),
            Some(9) => quantised(7, 24, "q5_1"),
            _ => Err(Fault::UnknownQuantisation { ftype }),
        }
    }

    pub(super) fn for_tensor(self, tensor: &Tensor) -> Self {
        match tensor.precision {
            Precision::Full => FULL,
            Precision::Half => HALF,
            Precision::Model => self,
        }
    }

    pub(super) fn bytes_of(self, tensor: &Tensor) -> Option<u64> {
        let row = u64::from(*tensor.shape.first()?);
        row.is_multiple_of(self.block)
            .then(|| tensor.elements() / self.block * self.block_bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

    use super::*;

    #[test]
    fn known_quantisations_have_the_published_block_sizes() {
        let row = Tensor {
            name: String::new(),
            shape: vec![384, 384],
            precision: Precision::Model,
        };
        let sizes = [(2002, 18), (2003, 20), (2007, 34), (2008, 22), (2009, 24)];
        for (ftype, block) in sizes {
            let bytes = Weights::of(ftype).unwrap().bytes_of(&row);
            assert_eq!(bytes, Some(384 * 384 / 32 * block), "{ftype}");
        }
    }
}
