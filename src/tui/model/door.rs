//! Whether there is a vault and whether it is open: what stands on the screen before it is.

use crate::tui::secret::Secret;

/// Whether there is a vault and whether it is open.
pub enum Vault {
    /// Not known yet.
    Unknown,
    /// There is none: the first start.
    Missing(FirstStart),
    /// It is locked.
    Locked {
        /// Recordings that wait to be merged.
        waiting: usize,
        /// The passphrase being typed, while it is.
        typed: Option<Secret>,
    },
    /// It is being made or opened, which takes a second.
    Opening,
    /// It is open.
    Open,
}

/// The first start asks for a passphrase twice.
pub struct FirstStart {
    /// Where the vault will be.
    pub place: String,
    /// The passphrase.
    pub first: Secret,
    /// And again.
    pub again: Secret,
    /// Which of the two is being typed.
    pub repeating: Repeat,
}

/// Which of two fields is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The first.
    First,
    /// The repetition.
    Again,
}
