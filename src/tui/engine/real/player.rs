//! The thread that plays.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::notes::Notes;
use super::{Answer, Shared};
use crate::audio::Speed;
use crate::command::{play, tell_of_silence};
use crate::error::Failure;
use crate::recording::{RecordingId, STORED_RATE_HZ};
use crate::tui::engine::PlayerStatus;
use crate::worker::player::{Heard, Player, REFILL};

/// Between two reports of the position.
const REPORT: Duration = Duration::from_millis(250);

/// Something for the player.
pub(super) enum Play {
    /// Play this.
    From {
        /// Which recording.
        id: RecordingId,
        /// From where, seconds.
        from_s: f64,
    },
    /// Hold, or go on.
    Pause,
    /// Jump, seconds from the start.
    Seek(f64),
    /// Stop.
    Stop,
    /// The end.
    End,
}

pub(super) fn run(shared: &Shared, plays: &Receiver<Play>) {
    let mut playing: Option<Playing> = None;
    loop {
        let next = match &playing {
            Some(now) if !now.player.is_paused() => plays.recv_timeout(REFILL),
            _ => plays.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let done = match (next, &mut playing) {
            (Ok(Play::From { id, from_s }), slot) => {
                // The old one falls silent before the new one opens the device.
                *slot = None;
                Playing::begin(shared, id, from_s).map(|begun| *slot = Some(begun))
            }
            (Ok(Play::Pause), Some(now)) => {
                now.pause();
                Ok(())
            }
            (Ok(Play::Seek(to_s)), Some(now)) => now.seek(to_s),
            (Ok(Play::Stop), slot) => {
                *slot = None;
                shared.tell(Answer::PlayerStopped);
                Ok(())
            }
            (Ok(Play::Pause | Play::Seek(_)), None) | (Err(RecvTimeoutError::Timeout), _) => Ok(()),
            (Ok(Play::End) | Err(RecvTimeoutError::Disconnected), _) => return,
        };
        let done = done.and_then(|()| playing.as_mut().map_or(Ok(false), |now| now.go_on(shared)));
        match done {
            Ok(false) => {}
            Ok(true) => {
                playing = None;
                shared.tell(Answer::PlayerStopped);
            }
            Err(failure) => {
                playing = None;
                shared.tell(Answer::PlayerStopped);
                shared.complain(failure);
            }
        }
    }
}

struct Playing {
    player: Player,
    reported: Option<Instant>,
}

fn sample_at(seconds: f64) -> u64 {
    // What is no length at all is the start.
    play::sample_at(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

impl Playing {
    fn begin(shared: &Shared, id: RecordingId, from_s: f64) -> Result<Self, Failure> {
        let open = shared.context.unlocked()?;
        let recording = open.recording(id)?;
        let from = sample_at(from_s).min(recording.card.samples);
        let (player, note) = play::begin(&open, &recording, from, Speed::NORMAL)?;
        if let Some(note) = note {
            shared.tell(Answer::Notice(note.to_owned()));
        }
        Ok(Self {
            player,
            reported: None,
        })
    }

    fn pause(&mut self) {
        self.player.pause();
        self.reported = None;
    }

    fn seek(&mut self, to_s: f64) -> Result<(), Failure> {
        self.reported = None;
        self.player.seek(sample_at(to_s))
    }

    /// Fills the loudspeaker's ring and reports; `true` when all was played.
    fn go_on(&mut self, shared: &Shared) -> Result<bool, Failure> {
        let heard = self.player.fill()?;
        if self.reported.is_none_or(|at| at.elapsed() >= REPORT) {
            self.reported = Some(Instant::now());
            shared.tell(Answer::Playing(self.status()));
        }
        let is_over = heard == Heard::All;
        if is_over {
            self.tell_of_silence(shared);
        }
        Ok(is_over)
    }

    fn tell_of_silence(&self, shared: &Shared) {
        let notes = Notes::default();
        tell_of_silence(self.player.id(), self.player.silenced(), &notes);
        for note in notes.take() {
            shared.tell(Answer::Notice(note));
        }
    }

    fn status(&self) -> PlayerStatus {
        let seconds = |samples: u64| samples as f64 / f64::from(STORED_RATE_HZ);
        PlayerStatus {
            id: self.player.id(),
            position_s: seconds(self.player.position()),
            duration_s: seconds(self.player.total()),
            paused: self.player.is_paused(),
        }
    }
}
