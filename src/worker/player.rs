//! Plays a recording on a loudspeaker: what the interface and `play` have in common.
//!
//! Whoever has a player calls [`Player::fill`] every [`REFILL`]; there is no thread in
//! here. Damage is silence, so that all else is heard where it was.

use std::time::{Duration, Instant};

use super::pieces::Silenced;
use super::samples::Samples;
use crate::audio::{AudioError, Playback, Speed, StoredRate, Tempo};
use crate::error::{Exit, Failure};
use crate::recording::{Recording, RecordingId};
use crate::vault::OpenVault;

/// Between two looks at the loudspeaker, whose ring holds half a second.
pub const REFILL: Duration = Duration::from_millis(100);

/// The device has a buffer of its own: closed earlier, it would keep the last sounds.
const TAIL: Duration = Duration::from_millis(300);

/// A loudspeaker that takes nothing for so long is lost, if it was looked at so often: a
/// process that was stopped and goes on looks once after a long time.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOKS: u32 = 20;

/// How much of it was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// A part: there is more to hear.
    Part,
    /// All of it.
    All,
}

/// A recording that is played. Dropping it falls silent at once.
pub struct Player {
    id: RecordingId,
    total: u64,
    samples: Samples,
    speed: Speed,
    /// None once it has given its last sample.
    tempo: Option<Tempo>,
    speaker: Playback,
    /// Ready, and not yet written.
    pcm: Vec<f32>,
    /// The sample (at 48 kHz) that was begun with.
    from: u64,
    is_paused: bool,
    /// The loudspeaker was told that there is no more.
    is_ended: bool,
    stall: Stall,
    drained: Option<Instant>,
}

impl Player {
    /// Opens the default loudspeaker, which is silent until [`fill`](Self::fill) is
    /// called. Begins with this sample (at 48 kHz).
    ///
    /// # Errors
    /// When the sound was shredded or can't be read, or there is no loudspeaker.
    pub fn open(
        vault: &OpenVault,
        recording: &Recording,
        from: u64,
        speed: Speed,
    ) -> Result<Self, Failure> {
        let samples = Samples::of(vault, recording, StoredRate::Full, from)?;
        let speaker = Playback::open(None).map_err(mute)?;
        Ok(Self {
            id: recording.id,
            total: recording.card.samples,
            samples,
            speed,
            tempo: Some(Tempo::new(speed)),
            speaker,
            pcm: Vec::new(),
            from,
            is_paused: false,
            is_ended: false,
            stall: Stall::none_at(0),
            drained: None,
        })
    }

    /// Which recording it is.
    #[must_use]
    pub fn id(&self) -> RecordingId {
        self.id
    }

    /// Samples at 48 kHz of the whole recording.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The sample (at 48 kHz) that is heard now.
    #[must_use]
    pub fn position(&self) -> u64 {
        let heard = self.speed.taken_for(self.speaker.position());
        self.from.saturating_add(heard).min(self.total)
    }

    /// What silence stood in for so far.
    #[must_use]
    pub fn silenced(&self) -> Silenced {
        self.samples.silenced()
    }

    /// Whether it is held.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Holds, or goes on where it was held.
    pub fn pause(&mut self) {
        self.is_paused = !self.is_paused;
        if self.is_paused {
            self.speaker.pause();
        } else {
            self.speaker.resume();
        }
        self.stall = Stall::none_at(self.speaker.position());
    }

    /// Goes on with this sample (at 48 kHz).
    ///
    /// # Errors
    /// When the decoder can't be made anew.
    pub fn seek(&mut self, to: u64) -> Result<(), Failure> {
        self.from = to.min(self.total);
        self.samples.seek(self.from)?;
        self.tempo = Some(Tempo::new(self.speed));
        self.pcm.clear();
        self.speaker.clear()?;
        self.is_ended = false;
        self.stall = Stall::none_at(0);
        self.drained = None;
        Ok(())
    }

    /// Gives the loudspeaker as much as it takes.
    ///
    /// # Errors
    /// When it is gone, when the recording was shredded meanwhile, or when none of it
    /// can be read.
    pub fn fill(&mut self) -> Result<Heard, Failure> {
        loop {
            let written = self.speaker.write(&self.pcm).map_err(mute)?;
            self.pcm.drain(..written);
            if !self.pcm.is_empty() {
                break;
            }
            if !self.decode()? {
                if !std::mem::replace(&mut self.is_ended, true) {
                    self.speaker.end()?;
                }
                break;
            }
        }
        if self.is_paused {
            return Ok(Heard::Part);
        }
        if self.is_ended && self.speaker.is_drained() {
            let drained = *self.drained.get_or_insert_with(Instant::now);
            return Ok(match drained.elapsed() >= TAIL {
                true => Heard::All,
                false => Heard::Part,
            });
        }
        if self.stall.lasts(self.speaker.position()) {
            return Err(unheard("the loudspeaker takes no sound any more"));
        }
        Ok(Heard::Part)
    }

    /// Makes more samples ready; `false` when there are none.
    fn decode(&mut self) -> Result<bool, Failure> {
        let Some(tempo) = &mut self.tempo else {
            return Ok(false);
        };
        let mut decoded = Vec::new();
        let more = self.samples.next(&mut decoded)?;
        tempo.push(&decoded, &mut self.pcm);
        if !more && let Some(tempo) = self.tempo.take() {
            tempo.finish(&mut self.pcm);
        }
        Ok(true)
    }
}

/// Since when the loudspeaker has taken nothing.
struct Stall {
    position: u64,
    since: Instant,
    looks: u32,
}

impl Stall {
    fn none_at(position: u64) -> Self {
        Self {
            position,
            since: Instant::now(),
            looks: 0,
        }
    }

    /// Whether it still takes nothing, for too long by now.
    fn lasts(&mut self, position: u64) -> bool {
        if position != self.position {
            *self = Self::none_at(position);
        }
        self.looks += 1;
        self.looks >= LOOKS && self.since.elapsed() >= PATIENCE
    }
}

/// A loudspeaker that can't be used, told as that: the error by itself speaks of
/// microphones.
fn mute(error: AudioError) -> Failure {
    unheard(Failure::from(error).why)
}

fn unheard(why: impl Into<String>) -> Failure {
    Failure::new(Exit::Failed, "can't play here", why).hint(
        "`voxvault play ID --stdout` writes WAV for a player elsewhere, \
         `voxvault export ID --format opus` a file",
    )
}
