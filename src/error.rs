//! What a person is told when something can't be done, and the exit code.
//!
//! Every layer has an error enum of its own and says here, in its
//! `From<…> for Failure`, how it reads at the top: one line
//! `WHAT (WHICH FILE OR ID): WHY`, and a hint where something can be done.

use std::fmt;

/// The exit codes of the program; scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed, or answered with no; the message says why.
    Failed = 1,
    /// Unusable arguments, an ambiguous id, no terminal where one is needed.
    Usage = 2,
    /// No key, or a wrong passphrase.
    Locked = 3,
    /// Nothing of that name, or no such vault.
    NotFound = 4,
    /// Damaged or forged data was found; what is sound was kept.
    Damaged = 5,
    /// Another process held the vault for too long.
    Busy = 6,
    /// No microphone, or it was lost.
    NoMicrophone = 7,
    /// No speech model.
    NoModel = 8,
    /// Out of space.
    NoSpace = 9,
}

/// A failure as it is told to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What could not be done, in a few words: `can't open the vault`.
    pub what: String,
    /// The file or id it was about.
    pub which: Option<String>,
    /// Why not.
    pub why: String,
    /// What to do next, where something can be done.
    pub hint: Option<String>,
    /// How the program ends.
    pub exit: Exit,
}

impl Failure {
    /// A failure without a file, id or hint.
    pub fn new(exit: Exit, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            which: None,
            why: why.into(),
            hint: None,
            exit,
        }
    }

    /// A failure to write something out. A closed pipe is none: its reader has
    /// seen enough.
    pub fn of_output(what: impl Into<String>, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let exit = match error.kind() {
            ErrorKind::BrokenPipe => Exit::Done,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Exit::NoSpace,
            _ => Exit::Failed,
        };
        Self::new(exit, what, error.to_string())
    }

    /// The same, of a key that is to be a new one: nothing is locked yet.
    #[must_use]
    pub fn of_new_key(mut self) -> Self {
        if self.exit == Exit::Locked {
            self.exit = Exit::Usage;
        }
        self
    }

    /// The same, about this file or id.
    #[must_use]
    pub fn about(mut self, which: impl fmt::Display) -> Self {
        self.which = Some(which.to_string());
        self
    }

    /// The same, with what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with what to do next where something can be done.
    #[must_use]
    pub fn hint_if(mut self, hint: Option<&str>) -> Self {
        self.hint = hint.map(str::to_owned).or(self.hint);
        self
    }
}

/// One line, without control characters: error texts of libraries may carry
/// what a crafted file put there.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plain(&self.what))?;
        if let Some(which) = &self.which {
            write!(f, " ({})", plain(which))?;
        }
        write!(f, ": {}", plain(&self.why))
    }
}

impl std::error::Error for Failure {}

/// The same of a text of several lines, line by line.
#[must_use]
pub fn plain_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(plain).collect();
    lines.join("\n")
}

/// The text without control and bidirectional-override characters, on one line.
#[must_use]
pub fn plain(text: &str) -> String {
    let shows = |c: &char| {
        !c.is_control()
            && !matches!(*c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| match c {
            '\n' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            c => c,
        })
        .filter(shows)
        .collect()
}
