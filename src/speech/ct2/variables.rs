//! The binary format: a header, variables one behind the other, and aliases.

use std::io::Read;

use crate::speech::Fault;
use crate::speech::bytes::Bytes;

/// The version of the binary format that is read.
pub(in crate::speech) const BINARY_VERSION: u32 = 6;
const SPECIFICATION: &str = "WhisperSpec";
const REVISION: u32 = 3;
/// large has 900.
const MOST_VARIABLES: u32 = 4096;
const LONGEST_NAME: u16 = 256;

pub(super) const TYPES: [(&str, u64); 6] = [
    ("32-bit floats", 4),
    ("int8", 1),
    ("int16", 2),
    ("int32", 4),
    ("float16", 2),
    ("bfloat16", 2),
];
pub(super) const HALF: u8 = 4;

/// A variable of the model, but for its data.
pub(super) struct Variable {
    pub(super) name: String,
    /// Outermost dimension first.
    pub(super) shape: Vec<u32>,
    pub(super) kind: u8,
    pub(super) size: u64,
}

/// Goes through the file and hands on every variable; whoever takes it reads
/// exactly its data.
pub(super) fn walk<R: Read>(
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
