//! Segments on their way to the disk, which may be full for a while.
//!
//! What can't be written is held and tried again for as long as the sound that
//! comes meanwhile can wait: in the ring behind a microphone, in the pipe behind
//! a stream. Who asks is told from the first failure on.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::space;
use crate::error::{Exit, Failure};
use crate::recording::{Card, Ending, RecordingId, length_of};
use crate::transcript::Transcript;
use crate::vault::{self, RecordingWriter, Vault};

/// How long a full disk is tried again: shorter than the ring behind a
/// microphone, so that nothing is lost if there is room after all.
const TRY_FOR: Duration = Duration::from_secs(6);

/// Whether there is room on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// All that came is written.
    Enough,
    /// Something waits: the disk is full.
    Wanting,
}

/// Why a recording could not be ended with all that came, and what is kept of it.
pub(super) struct Cut {
    pub(super) failure: Failure,
    pub(super) kept: Duration,
}

/// A recording's way to the disk.
pub(super) struct Outbox {
    writer: RecordingWriter,
    /// Segments, and how many of their samples count.
    waiting: VecDeque<(Vec<u8>, u32)>,
    full_since: Option<Instant>,
    try_for: Duration,
    samples: u64,
}

impl Outbox {
    /// For what is heard now and never again.
    pub(super) fn new(writer: RecordingWriter) -> Self {
        Self::trying_for(TRY_FOR, writer)
    }

    /// For what is still there to be taken again: a full disk is told at once.
    pub(super) fn of_copy(writer: RecordingWriter) -> Self {
        Self::trying_for(Duration::ZERO, writer)
    }

    fn trying_for(try_for: Duration, writer: RecordingWriter) -> Self {
        Self {
            writer,
            try_for,
            waiting: VecDeque::new(),
            full_since: None,
            samples: 0,
        }
    }

    /// Takes a segment; it is durable when this returns, unless the disk is full.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub(super) fn push(&mut self, packets: &[u8], samples: u32) -> Result<(), vault::Error> {
        self.waiting.push_back((packets.to_vec(), samples));
        self.flush().map(drop)
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// When it could not be written for too long, or never can be.
    pub(super) fn flush(&mut self) -> Result<Room, vault::Error> {
        while let Some((packets, samples)) = self.waiting.front() {
            match self.writer.push(packets, *samples) {
                Ok(()) => {
                    self.samples += u64::from(*samples);
                    self.waiting.pop_front();
                }
                Err(error) if error.is_no_space() => {
                    let since = *self.full_since.get_or_insert_with(Instant::now);
                    return match since.elapsed() < self.try_for {
                        true => Ok(Room::Wanting),
                        false => Err(error),
                    };
                }
                Err(error) => return Err(error),
            }
        }
        self.full_since = None;
        Ok(Room::Enough)
    }

    /// The recording's id.
    pub(super) fn id(&self) -> RecordingId {
        self.writer.id()
    }

    /// Whether there was room the last time.
    pub(super) fn room(&self) -> Room {
        match self.full_since {
            None => Room::Enough,
            Some(_) => Room::Wanting,
        }
    }

    /// Sound that was written, samples at 48 kHz.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    /// The same as a length.
    pub(super) fn kept(&self) -> Duration {
        length_of(self.samples)
    }

    /// How long the disk lasts, as it is used up by this recording.
    pub(super) fn space_left(&self, vault: &Vault) -> Option<Duration> {
        space::left(vault, self.writer.bytes(), self.kept())
    }

    /// Puts down what is known so far. On a full disk it is put down later: the
    /// sound comes first.
    ///
    /// # Errors
    /// When the vault can't be written.
    pub(super) fn checkpoint(&mut self, card: &Card) -> Result<(), vault::Error> {
        match self.writer.checkpoint(card) {
            Err(error) if error.is_no_space() => Ok(()),
            done => done,
        }
    }

    /// Writes a transcript that came with the sound, behind all of it.
    ///
    /// # Errors
    /// When the vault can't be written.
    pub(super) fn add_transcript(&mut self, transcript: &Transcript) -> Result<(), vault::Error> {
        self.flush()?;
        self.writer.add_transcript(transcript)
    }

    /// Ends the recording with all that came. On a full disk it ends without what
    /// waits, which is told.
    ///
    /// # Errors
    /// What could not be written; what was is kept, as an interrupted recording.
    pub(super) fn finish(mut self, card: &Card) -> Result<(), Cut> {
        let failure = match self.flush() {
            Ok(Room::Enough) => {
                let kept = self.kept();
                return match self.writer.finish(card) {
                    Ok(_) => Ok(()),
                    Err(error) => Err(Cut {
                        kept: left_after(&error, kept),
                        failure: error.into(),
                    }),
                };
            }
            Ok(Room::Wanting) => Failure::new(
                Exit::NoSpace,
                "the last of it could not be written",
                "the disk is full",
            ),
            Err(error) => error.into(),
        };
        let kept = self.give_up(card.clone());
        Err(Cut { failure, kept })
    }

    /// Ends a recording of which something could not be written, and tells how
    /// much is kept. Where there is no room for the card either, its last draft has
    /// to do. Where nothing was written, nothing stays.
    pub(super) fn give_up(self, mut card: Card) -> Duration {
        let kept = self.kept();
        if kept.is_zero() {
            self.discard();
            return kept;
        }
        card.samples = self.samples;
        card.ending = Ending::Interrupted;
        match self.writer.finish(&card) {
            Ok(_) => kept,
            Err(error) => left_after(&error, kept),
        }
    }

    /// Destroys it. A file that can't be removed is an empty or interrupted
    /// recording, which the next merge takes care of.
    pub(super) fn discard(self) {
        let _ = self.writer.discard();
    }
}

/// What is left of the sound that was written, once this went wrong: nothing where
/// the file was taken away.
fn left_after(error: &vault::Error, written: Duration) -> Duration {
    match error.is_taken_away() {
        true => Duration::ZERO,
        false => written,
    }
}
