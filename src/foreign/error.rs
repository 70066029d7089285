//! Why something from elsewhere can't be taken in, and how that reads at the top.

use crate::error::{Exit, Failure};

/// Why something from elsewhere can't be taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nothing in it.
    #[error("there is no text in it")]
    Empty,
    /// It does not begin or look like what its name says.
    #[error("it is not {expected}")]
    NotThat {
        /// What was expected.
        expected: &'static str,
    },
    /// It is JSON, or should be, and can't be read.
    #[error("it can't be read as JSON from line {line} on")]
    Json {
        /// Where, counted from 1.
        line: usize,
    },
    /// It holds more than any file of its kind does.
    #[error("it has {bytes} bytes; {most} at most are read")]
    TooLong {
        /// How much there is, at least.
        bytes: u64,
        /// How much is read.
        most: u64,
    },
    /// The archive can't be read at all.
    #[error("{why}")]
    Archive {
        /// What is wrong with it.
        why: String,
    },
    /// One entry of an archive is not touched.
    #[error("{why}")]
    Entry {
        /// What is wrong with it.
        why: String,
    },
    /// The system could not read it.
    #[error("{why}")]
    Read {
        /// What the system said.
        why: String,
    },
}

impl From<serde_json::Error> for Error {
    /// Without the library's words: they may quote what stands in the file.
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let why = error.to_string();
        match error {
            Error::Archive { .. } => Self::new(Exit::Failed, "can't take in the archive", why)
                .hint("unpack it with a program you trust, and import the folder"),
            Error::Entry { .. } => Self::new(Exit::Failed, "can't take in the entry", why),
            Error::Read { .. } => Self::new(Exit::Failed, "can't read the file", why),
            Error::Empty | Error::NotThat { .. } | Error::Json { .. } | Error::TooLong { .. } => {
                Self::new(Exit::Failed, "can't take in the text", why)
            }
        }
    }
}
