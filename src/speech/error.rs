//! What can go wrong with speech models and with transcribing.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Exit, Failure};

/// Why a file is not a speech model that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Neither whisper.cpp's magic number nor CTranslate2's version.
    #[error("it is neither a whisper.cpp file nor a CTranslate2 model")]
    NotAModel,
    /// A folder, wheel or set of parts without `model.bin`.
    #[error("it holds no model.bin")]
    NoWeights,
    /// Parts of `model.bin` that do not go together.
    #[error("part {missing} of model.bin is missing")]
    MissingPart {
        /// The number of the first part that is not there.
        missing: u32,
    },
    /// Two files where one is wanted.
    #[error("it holds {what} twice")]
    Twice {
        /// What is there twice.
        what: String,
    },
    /// The file ends in the middle.
    #[error("it is cut off after {after} bytes")]
    Truncated {
        /// Bytes that are there.
        after: u64,
    },
    /// Something follows the last tensor or alias.
    #[error("something follows the model's end at byte {at}")]
    Trailing {
        /// Where the model ends.
        at: u64,
    },
    /// A dimension that no Whisper model has.
    #[error("no Whisper model has {what} = {value}")]
    Dimension {
        /// The dimension's name in whisper.cpp.
        what: &'static str,
        /// Its value in the file.
        value: i64,
    },
    /// 32-bit floating-point weights.
    #[error(
        "its weights are 32-bit floats, which whisper.cpp can't use here; it wants f16 or a quantised file"
    )]
    FullPrecision,
    /// A quantisation that whisper.cpp's files do not have.
    #[error("its weights are quantised in an unknown way (type {ftype})")]
    UnknownQuantisation {
        /// The file's number for it.
        ftype: i32,
    },
    /// A CTranslate2 model with other than f16 weights.
    #[error("its weights are {kind}; only float16 CTranslate2 models can be converted")]
    NotHalfPrecision {
        /// What they are.
        kind: &'static str,
    },
    /// A tensor's own type is not the one that the model's type asks for.
    #[error("tensor {name} has type {found} instead of {wanted}")]
    TensorType {
        /// The tensor.
        name: String,
        /// Its type in the file, ggml's number.
        found: i32,
        /// The type it must have, ggml's number.
        wanted: i32,
    },
    /// A tensor that does not belong to the model.
    #[error("tensor {name} does not belong to a Whisper model of this size")]
    UnknownTensor {
        /// The tensor.
        name: String,
    },
    /// A tensor of another shape.
    #[error("tensor {name} has the shape {found:?} instead of {wanted:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its dimensions in the file.
        found: Vec<u32>,
        /// The dimensions it must have.
        wanted: Vec<u32>,
    },
    /// A tensor is not there.
    #[error("tensor {name} is missing")]
    MissingTensor {
        /// The tensor.
        name: String,
    },
    /// A name or count in the file is out of all proportion.
    #[error("{what} at byte {at} makes no sense")]
    Nonsense {
        /// What was read.
        what: &'static str,
        /// Where.
        at: u64,
    },
    /// Not CTranslate2's Whisper format of a version that is known.
    #[error("it is CTranslate2's {what}, which is not known")]
    UnknownVersion {
        /// What was found.
        what: String,
    },
    /// The list of tokens can't be used.
    #[error("its vocabulary can't be used: {why}")]
    Vocabulary {
        /// Why not.
        why: String,
    },
    /// The wheel is not a readable zip archive.
    #[error("the wheel can't be read: {why}")]
    Archive {
        /// What the zip reader says.
        why: String,
    },
    /// The file's SHA-256 is not the one noted when it was imported.
    #[error("its SHA-256 is not the one noted when it was imported")]
    Checksum,
    /// The file's size is not the one noted when it was imported.
    #[error("it has {found} bytes instead of {wanted}")]
    Size {
        /// Bytes of the file.
        found: u64,
        /// Bytes noted when it was imported.
        wanted: u64,
    },
    /// whisper.cpp could not load it.
    #[error("whisper.cpp could not load it")]
    Rejected,
    /// What was read can't be written.
    #[error("{0}")]
    Write(#[source] io::Error),
    /// It can't be read.
    #[error("{0}")]
    Read(#[source] io::Error),
}

/// What can go wrong in `speech`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No model was imported yet.
    #[error("no speech model in {}", folder.display())]
    NoModel {
        /// The model folder.
        folder: PathBuf,
    },
    /// No model of that name.
    #[error("no speech model is called {name}")]
    NoSuchModel {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A file offered for import is refused.
    #[error("{} is refused: {fault}", path.display())]
    Refused {
        /// The file, folder or wheel.
        path: PathBuf,
        /// Why.
        #[source]
        fault: Fault,
    },
    /// An imported model is no longer what it was.
    #[error("speech model {name} is damaged: {fault}")]
    Damaged {
        /// The model.
        name: String,
        /// In what way.
        #[source]
        fault: Fault,
    },
    /// The name can't be a model's.
    #[error("{name} can't be a model's name")]
    BadName {
        /// What was asked for.
        name: String,
    },
    /// Another model has that name.
    #[error("there is another speech model called {name}")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// Another process is importing or removing a model.
    #[error("the model folder {} is in use", folder.display())]
    Busy {
        /// The model folder.
        folder: PathBuf,
    },
    /// The catalogue of models can't be understood.
    #[error("{} can't be understood: {why}", path.display())]
    Catalogue {
        /// The catalogue's file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Reading or writing in the model folder failed.
    #[error("can't {what} {}: {source}", path.display())]
    Io {
        /// What was tried: `write`, `read`, `rename`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Whisper knows no such language.
    #[error("Whisper knows no language {code}")]
    UnknownLanguage {
        /// What was asked for.
        code: String,
    },
    /// The model does not speak the language.
    #[error("the speech model {model} does not understand {code}")]
    Language {
        /// What was asked for, ISO 639-1.
        code: String,
        /// The model.
        model: String,
    },
    /// Where the sound came from failed; told as it was.
    #[error("{0}")]
    Sound(#[source] Failure),
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
    /// whisper.cpp failed on a piece of sound.
    #[error("whisper.cpp failed: {why}")]
    Whisper {
        /// What it says.
        why: String,
    },
}

impl Error {
    /// Names the file an I/O error happened to.
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { what, path, source }
    }

    /// The work was stopped because somebody asked for it.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }
}

const GET_ONE: &str = "run scripts/get-model, or give one to `voxvault model import`";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NoModel { folder } => {
                Self::new(Exit::NoModel, "can't transcribe", "there is no speech model yet")
                    .about(folder.display())
                    .hint(GET_ONE)
            }
            Error::NoSuchModel { name, known } => {
                let failure =
                    Self::new(Exit::NotFound, "no such speech model", "it was not imported")
                        .about(name);
                if known.is_empty() {
                    failure.hint(GET_ONE)
                } else {
                    failure.hint(format!("there are: {}", known.join(", ")))
                }
            }
            Error::Refused { path, fault: Fault::Read(source) | Fault::Write(source) } => {
                Self::new(exit_of(&source), "can't read the speech model", source.to_string())
                    .about(path.display())
            }
            Error::Refused { path, fault } => {
                Self::new(Exit::Failed, "refused as a speech model", fault.to_string())
                    .about(path.display())
                    .hint("whisper.cpp's .bin files and float16 CTranslate2 folders or wheels are taken")
            }
            Error::Damaged { name, fault } => {
                Self::new(Exit::Damaged, "damaged speech model", fault.to_string())
                    .hint(format!("voxvault model remove {name}, then import it again"))
                    .about(name)
            }
            Error::BadName { name } => Self::new(
                Exit::Usage,
                "unusable model name",
                "it takes up to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit",
            )
            .about(name),
            Error::NameTaken { name } => {
                Self::new(Exit::Failed, "can't import", "another speech model has this name")
                    .about(name)
                    .hint("choose another with --name, or remove that one first")
            }
            Error::Busy { folder } => Self::new(
                Exit::Busy,
                "can't change the speech models",
                "another process is importing or removing one",
            )
            .about(folder.display()),
            Error::Catalogue { path, why } => {
                Self::new(Exit::Damaged, "can't read the list of speech models", why)
                    .about(path.display())
                    .hint("remove the file and import the models again")
            }
            Error::Io { what, path, source } => {
                Self::new(exit_of(&source), format!("can't {what}"), source.to_string())
                    .about(path.display())
            }
            Error::UnknownLanguage { code } => {
                Self::new(Exit::Usage, "unknown language", "Whisper does not know it")
                    .about(code)
                    .hint("give an ISO 639-1 code such as en, de or fr, or auto")
            }
            Error::Language { code, model } => Self::new(
                Exit::Failed,
                "can't transcribe this language",
                format!("the speech model {model} does not understand it"),
            )
            .about(code)
            .hint("import a multilingual model and choose it with --model"),
            Error::Sound(failure) => failure,
            Error::Cancelled => Self::new(Exit::Failed, "not transcribed", "it was stopped"),
            Error::Whisper { why } => Self::new(Exit::Failed, "can't transcribe", why),
        }
    }
}

fn exit_of(error: &io::Error) -> Exit {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Exit::NoSpace,
        io::ErrorKind::NotFound => Exit::NotFound,
        _ => Exit::Failed,
    }
}
