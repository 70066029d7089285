//! The thread that plays.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::{Answer, Shared};
use crate::audio::{Playback, StoredRate, StoredShape, StoredSound};
use crate::command::log;
use crate::error::{Exit, Failure};
use crate::recording::{RecordingId, STORED_RATE_HZ};
use crate::time::clock;
use crate::tui::engine::PlayerStatus;
use crate::vault::{Deed, SoundReader};

/// Between two looks at the loudspeaker, whose ring holds half a second.
const REFILL: Duration = Duration::from_millis(100);
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
            Some(now) if !now.paused => plays.recv_timeout(REFILL),
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
    id: RecordingId,
    shape: StoredShape,
    reader: SoundReader,
    sound: StoredSound,
    speaker: Playback,
    /// Decoded and not yet written.
    pcm: Vec<f32>,
    from_sample: u64,
    paused: bool,
    reported: Option<Instant>,
}

fn sample_at(seconds: f64) -> u64 {
    (seconds.max(0.0) * f64::from(STORED_RATE_HZ)) as u64
}

impl Playing {
    fn begin(shared: &Shared, id: RecordingId, from_s: f64) -> Result<Self, Failure> {
        let open = shared.context.unlocked()?;
        let card = open.recording(id)?.card;
        let shape = StoredShape {
            samples: card.samples,
            pre_skip: card.pre_skip,
        };
        let from_sample = sample_at(from_s).min(shape.samples);
        let reader = open.sound(id)?;
        let speaker = Playback::open(None).map_err(|error| {
            let why = Failure::from(error).why;
            Failure::new(Exit::Failed, "can't play here", why)
                .hint("export it, or `voxvault play --stdout` over SSH")
        })?;
        let sound = StoredSound::from_sample(shape, StoredRate::Full, from_sample)?;
        // The loudspeaker is there; it hears nothing before this is durable.
        let from = clock(Duration::from_secs(from_sample / u64::from(STORED_RATE_HZ)));
        if let Some(note) = log::begin(&open, Deed::Play, &[id], &format!("from {from}"))? {
            shared.tell(Answer::Notice(note.to_owned()));
        }
        Ok(Self {
            id,
            shape,
            reader,
            sound,
            speaker,
            pcm: Vec::new(),
            from_sample,
            paused: false,
            reported: None,
        })
    }

    fn pause(&mut self) {
        self.paused = !self.paused;
        if self.paused {
            self.speaker.pause()
        } else {
            self.speaker.resume()
        }
        self.reported = None;
    }

    fn seek(&mut self, to_s: f64) -> Result<(), Failure> {
        self.from_sample = sample_at(to_s).min(self.shape.samples);
        self.sound = StoredSound::from_sample(self.shape, StoredRate::Full, self.from_sample)?;
        self.pcm.clear();
        self.speaker.clear()?;
        self.reported = None;
        Ok(())
    }

    /// Fills the loudspeaker's ring and reports; `true` when all was played.
    fn go_on(&mut self, shared: &Shared) -> Result<bool, Failure> {
        loop {
            let written = self.speaker.write(&self.pcm)?;
            self.pcm.drain(..written);
            if !self.pcm.is_empty() {
                break;
            }
            let Some(number) = self.sound.next_segment() else {
                self.speaker.end()?;
                break;
            };
            self.reader.seek(number);
            let Some(segment) = self.reader.next_segment()? else {
                break;
            };
            self.sound.push(&segment.packets, &mut self.pcm)?;
        }
        let over =
            self.pcm.is_empty() && self.sound.next_segment().is_none() && self.speaker.is_drained();
        if self.reported.is_none_or(|at| at.elapsed() >= REPORT) {
            self.reported = Some(Instant::now());
            shared.tell(Answer::Playing(self.status()));
        }
        Ok(over && !self.paused)
    }

    fn status(&self) -> PlayerStatus {
        let seconds = |samples: u64| samples as f64 / f64::from(STORED_RATE_HZ);
        let position = self
            .from_sample
            .saturating_add(self.speaker.position())
            .min(self.shape.samples);
        PlayerStatus {
            id: self.id,
            position_s: seconds(position),
            duration_s: seconds(self.shape.samples),
            paused: self.paused,
        }
    }
}
