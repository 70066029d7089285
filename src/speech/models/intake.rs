//! Takes in what is to be a model: a file of whisper.cpp as it is, anything of CTranslate2
//! converted.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{ByteProgress, STRETCH, hex};
use crate::speech::package::Package;
use crate::speech::{Error, Fault, ct2, ggml};

/// Only the holder of the folder's lock writes it, so one name is enough, and
/// what a killed import left is overwritten by the next.
pub(super) const PARTIAL: &str = ".import.partial";

/// A model file that was written, but not yet named.
pub(super) struct Written {
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) facts: ggml::Facts,
}

/// Writes the model that these files are, durably and under no name yet, and checks it.
///
/// # Errors
/// [`Error::Refused`] with the reason, [`Error::Io`].
pub(super) fn write_partial(
    paths: &[PathBuf],
    partial: &Path,
    progress: ByteProgress<'_>,
) -> Result<Written, Error> {
    let source = paths.first().cloned().unwrap_or_default();
    let file = File::create(partial).map_err(Error::io("write", partial))?;
    let mut out = Hashing {
        file: BufWriter::with_capacity(STRETCH, file),
        hash: Sha256::new(),
        bytes: 0,
        total: 0,
        progress,
    };
    fill(paths, &mut out).map_err(|error| match error {
        // A full disk is no fault of the model.
        Error::Refused {
            fault: Fault::Write(error),
            ..
        } => Error::io("write", partial)(error),
        other => other,
    })?;
    let Hashing {
        file, hash, bytes, ..
    } = out;
    let durable = file
        .into_inner()
        .map_err(io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all());
    durable.map_err(Error::io("write", partial))?;
    // What was written is what will be loaded, so it is that which is checked.
    let written = File::open(partial).map_err(Error::io("read", partial))?;
    let facts = ggml::check(BufReader::new(written), bytes).map_err(|fault| Error::Refused {
        path: source,
        fault,
    })?;
    Ok(Written {
        bytes,
        sha256: hex(&hash.finalize()),
        facts,
    })
}

fn fill(paths: &[PathBuf], out: &mut Hashing<'_>) -> Result<(), Error> {
    let first = paths.first().cloned().unwrap_or_default();
    let refused = |fault| Error::Refused {
        path: first.clone(),
        fault,
    };
    match kind(paths).map_err(refused)? {
        Kind::WhisperCpp(path) => copy(path, out).map_err(refused),
        Kind::CTranslate2 => {
            let package = Package::find(paths)?;
            let convert = |out: &mut Hashing<'_>| {
                let dimensions = package.read_weights(&mut |weights| ct2::survey(weights))?;
                let tokens = package.tokens(dimensions.plain_tokens())?;
                out.total = ggml::half_precision_bytes(&dimensions, &tokens);
                package
                    .read_weights(&mut |weights| ct2::convert(weights, &dimensions, &tokens, out))
            };
            convert(out).map_err(refused)
        }
    }
}

enum Kind<'a> {
    WhisperCpp(&'a Path),
    CTranslate2,
}

fn kind(paths: &[PathBuf]) -> Result<Kind<'_>, Fault> {
    let [path] = paths else {
        return Ok(Kind::CTranslate2);
    };
    if path.is_dir() {
        return Ok(Kind::CTranslate2);
    }
    let mut magic = Vec::new();
    File::open(path)
        .and_then(|file| file.take(4).read_to_end(&mut magic))
        .map_err(Fault::Read)?;
    let number = <[u8; 4]>::try_from(magic.as_slice()).map(u32::from_le_bytes);
    match number {
        Ok(ggml::MAGIC) => Ok(Kind::WhisperCpp(path)),
        Ok(ct2::BINARY_VERSION) => Ok(Kind::CTranslate2),
        _ if magic == *b"PK\x03\x04" => Ok(Kind::CTranslate2),
        _ => Err(Fault::NotAModel),
    }
}

fn copy(path: &Path, out: &mut Hashing<'_>) -> Result<(), Fault> {
    let mut file = File::open(path).map_err(Fault::Read)?;
    out.total = file.metadata().map_err(Fault::Read)?.len();
    // Judged before a gigabyte is copied.
    ggml::check(BufReader::new(&file), out.total)?;
    io::Seek::rewind(&mut file).map_err(Fault::Read)?;
    let mut stretch = vec![0; STRETCH];
    loop {
        let read = file.read(&mut stretch).map_err(Fault::Read)?;
        if read == 0 {
            return Ok(());
        }
        out.write_all(&stretch[..read]).map_err(Fault::Write)?;
    }
}

/// Writes, hashes, counts and tells how far it has come.
struct Hashing<'a> {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
    total: u64,
    progress: ByteProgress<'a>,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        let before = self.bytes / STRETCH as u64;
        self.bytes += bytes.len() as u64;
        if self.bytes / STRETCH as u64 > before {
            (self.progress)(self.bytes, self.total.max(self.bytes));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
