//! How a command says where it stands, without knowing who listens.

use crate::vault::Doubt;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things: recordings, files.
    Items,
    /// Milliseconds of sound.
    SoundMs,
}

/// What the owner says of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockWord {
    /// It is right.
    Right,
    /// Nothing, or no: there may be nobody to ask.
    None,
    /// He is asked, and will say it later.
    Later,
}

/// Takes what a command says while it works. Called from worker threads too.
pub trait Progress: Sync {
    /// A piece of work begins; `total` is how much there is, where known.
    fn begin(&self, what: &str, total: Option<u64>, unit: Unit);

    /// So much of it is done by now.
    fn advance(&self, done: u64);

    /// The piece of work is over.
    fn end(&self);

    /// Something a person should know: a warning, a skipped file.
    fn note(&self, message: &str);

    /// A failure about one of several things; the others go on.
    fn refuse(&self, failure: &crate::error::Failure);

    /// A failure of something that is done beside the work, which goes on; the program ends
    /// with its code if with none of another failure.
    fn miss(&self, failure: &crate::error::Failure) {
        self.refuse(failure);
    }

    /// A result that should be said as soon as it stands, such as an id.
    fn deliver(&self, line: &str);

    /// Whether the work should end at the next good moment.
    fn cancelled(&self) -> bool;

    /// From now on the work ends by itself where it is called off, also between its pieces.
    fn hold(&self) {}

    /// Asks the owner whether the clock is right, by which something would be destroyed.
    fn ask_about_clock(&self, _doubt: &Doubt) -> ClockWord {
        ClockWord::None
    }
}

/// Says nothing and is never cancelled.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _total: Option<u64>, _unit: Unit) {}
    fn advance(&self, _done: u64) {}
    fn end(&self) {}
    fn note(&self, _message: &str) {}
    fn refuse(&self, _failure: &crate::error::Failure) {}
    fn deliver(&self, _line: &str) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// A command's progress as the workers below it see it.
pub struct Listening<'a>(
    /// Who listens.
    pub &'a dyn Progress,
);

impl crate::worker::Control for Listening<'_> {
    fn advance(&self, done_ms: u64) {
        self.0.advance(done_ms);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }

    fn note(&self, message: &str) {
        self.0.note(message);
    }
}
