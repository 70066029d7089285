//! What opening or unlocking a vault found that its owner should know.

use std::fmt;
use std::path::PathBuf;

/// Something that was found, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A copy was missing, damaged or not written to its end, and was made anew from
    /// the other one.
    Mended {
        /// The file.
        path: PathBuf,
    },
    /// A root slot that is whole and that the vault's key did not make. It was
    /// not believed, and nothing was overwritten for it.
    Forged {
        /// The file it stands in.
        path: PathBuf,
        /// The generation it claims.
        generation: u64,
    },
    /// The vault is older than it was when it was last seen here: a copy was
    /// put back.
    Older {
        /// The generation that was seen before.
        seen: u64,
        /// The generation that is there now.
        found: u64,
    },
    /// The newest generation lost both copies of its bag; the one before it,
    /// not yet overwritten, was opened.
    FellBack {
        /// The generation that lost its bag.
        lost: u64,
        /// The generation that was opened.
        opened: u64,
    },
    /// A way in lost both of its files: it opens nothing any more.
    WayLost {
        /// Its name.
        name: String,
    },
    /// A file in `keys/` that looks like a way in, and that this vault does not
    /// know. It was left alone.
    StrangeWay {
        /// The file.
        path: PathBuf,
    },
    /// There was no store; an empty one was made.
    StoreMissing {
        /// The file.
        path: PathBuf,
    },
    /// A copy was missing or damaged, and could not be made anew from the other one,
    /// which is the last.
    NotMended {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// In the store the state before its last change was in force: what says so was
    /// damaged, or never written. The last one is in force again.
    PutInForce {
        /// The file.
        path: PathBuf,
    },
    /// In the store the state before its last change is in force, and stays so.
    EarlierInForce {
        /// The file.
        path: PathBuf,
        /// Why it stays.
        why: String,
    },
    /// The store has a later state than the one in force, that is not finished or does
    /// not open.
    Unfinished {
        /// The file.
        path: PathBuf,
    },
    /// Something that is due to be overwritten could not be.
    NotDone {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mended { path } => {
                write!(
                    f,
                    "{} was damaged or never finished, and was made anew from its copy",
                    path.display()
                )
            }
            Self::Forged { path, generation } => write!(
                f,
                "{} holds a generation {generation} that this vault did not write; \
                 what was recorded meanwhile may be readable by others",
                path.display()
            ),
            Self::Older { seen, found } => write!(
                f,
                "the vault is older than when it was last seen here (generation {found}, was {seen})"
            ),
            Self::FellBack { lost, opened } => write!(
                f,
                "generation {lost} lost both copies of its keys; opened generation {opened}"
            ),
            Self::WayLost { name } => write!(
                f,
                "both files of the way in {name} are missing or damaged: it opens nothing any more"
            ),
            Self::StrangeWay { path } => write!(
                f,
                "{} is no way in that this vault knows; it was left alone",
                path.display()
            ),
            Self::StoreMissing { path } => write!(
                f,
                "{} was missing; an empty one was made in its place",
                path.display()
            ),
            Self::NotMended { path, why } => write!(
                f,
                "{} is damaged, and could not be made anew from its copy: {why}",
                path.display()
            ),
            Self::PutInForce { path } => write!(
                f,
                "in {} the state before its last change was in force; the last one is again",
                path.display()
            ),
            Self::EarlierInForce { path, why } => write!(
                f,
                "in {} the state before its last change is in force: {why}",
                path.display()
            ),
            Self::Unfinished { path } => write!(
                f,
                "the last change of {} was not finished, or is damaged; the state before it is \
                 in force",
                path.display()
            ),
            Self::NotDone { path, why } => {
                write!(f, "{} could not be put in order: {why}", path.display())
            }
        }
    }
}
