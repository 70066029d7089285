//! Plays a recording: on this machine's loudspeakers, or as a WAV into a pipe for a
//! player somewhere else. The interface begins its playing here too.

use std::io::Write;
use std::thread;
use std::time::Duration;

use super::{
    Context, Listening, Progress, Unit, log, merge_quietly, outside, resolve, tell_of_silence,
};
use crate::audio::Speed;
use crate::error::{Exit, Failure};
use crate::recording::{Recording, RecordingId, STORED_RATE_HZ, SoundLeft, length_of};
use crate::time::clock;
use crate::vault::{Deed, OpenVault};
use crate::worker::player::{self, Player};
use crate::worker::{millis, sounding};

/// Where the sound goes.
pub enum Destination<'a> {
    /// The default loudspeaker of this machine.
    Loudspeaker,
    /// A stream, as WAV.
    Stream(&'a mut dyn Write),
}

/// What to play.
pub struct Args<'a> {
    /// An id, a prefix of one, or `last`.
    pub id: String,
    /// The position to begin with.
    pub from: Duration,
    /// How fast.
    pub speed: Speed,
    /// Where to.
    pub to: Destination<'a>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All of it was played.
    Whole,
    /// It was stopped before.
    Stopped,
}

/// What was played.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Which recording.
    pub id: RecordingId,
    /// From this position on.
    pub from: Duration,
    /// Up to this one.
    pub to: Duration,
    /// How fast.
    pub speed: Speed,
    /// How it ended.
    pub end: End,
}

/// Plays until the end, or until it is stopped, which for a loudspeaker is no failure.
/// Damage is heard as silence, and told.
///
/// # Errors
/// When the vault can't be unlocked, there is no such recording or no sound of it, it
/// is shorter than that, there is no loudspeaker, the stream can't be written, or
/// the log can't be.
pub fn run(context: &Context, args: Args<'_>, progress: &dyn Progress) -> Result<Outcome, Failure> {
    let vault = context.unlocked()?;
    let merged = merge_quietly(&vault, progress)?;
    let found = resolve::one_to_read(&args.id, &vault.listing()?, progress);
    let named = std::slice::from_ref(&args.id);
    let id = outside::unless_outside(found, &vault, named, &merged, "can't play")?;
    let recording = vault.recording(id)?;
    let from = sample_at(args.from);
    if from > 0 && from >= recording.card.samples {
        let length = recording.card.duration();
        let why = format!("--from is not before its end, {}", clock(length));
        return Err(Failure::new(Exit::Usage, "can't play", why)
            .about(id.short())
            .hint(format!("it is {:.1} s long", length.as_secs_f64())));
    }
    progress.begin(
        "playing",
        Some(millis(recording.card.samples)),
        Unit::SoundMs,
    );
    let played = match args.to {
        Destination::Loudspeaker => aloud(&vault, &recording, from, args.speed, progress),
        Destination::Stream(out) => into(&vault, &recording, from, args.speed, out, progress),
    };
    progress.end();
    let (to, end, silenced) = played?;
    tell_of_silence(id, silenced, progress);
    Ok(Outcome {
        id,
        from: length_of(from),
        to: length_of(to),
        speed: args.speed,
        end,
    })
}

/// How far it came, how it ended, and what silence stood in for.
type Played = (u64, End, sounding::Silenced);

fn aloud(
    vault: &OpenVault,
    recording: &Recording,
    from: u64,
    speed: Speed,
    progress: &dyn Progress,
) -> Result<Played, Failure> {
    let (mut player, note) = begin(vault, recording, from, speed)?;
    if let Some(note) = note {
        progress.note(note);
    }
    loop {
        let end = match player.fill()? {
            player::Heard::All => Some(End::Whole),
            player::Heard::Part => progress.cancelled().then_some(End::Stopped),
        };
        progress.advance(millis(player.position()));
        if let Some(end) = end {
            return Ok((player.position(), end, player.silenced()));
        }
        thread::sleep(player::REFILL);
    }
}

fn into(
    vault: &OpenVault,
    recording: &Recording,
    from: u64,
    speed: Speed,
    out: &mut dyn Write,
    progress: &dyn Progress,
) -> Result<Played, Failure> {
    check_sound(recording)?;
    let detail = format!("{} to a stream", from_position(from));
    if let Some(note) = log::begin(vault, Deed::Play, &[recording.id], &detail)? {
        progress.note(note);
    }
    let control = Listening(progress);
    let silenced = sounding::write_wav(vault, recording, from, speed, out, &control)?;
    Ok((recording.card.samples, End::Whole, silenced))
}

/// Opens the loudspeaker and begins with this sample (at 48 kHz). What is played is
/// in the log before anybody hears it; where it can't be because the vault is
/// read-only, what to say about that is answered too.
///
/// # Errors
/// When its sound was shredded, is lost or can't be read, there is no loudspeaker, or the entry
/// can't be made durable.
pub fn begin(
    vault: &OpenVault,
    recording: &Recording,
    from: u64,
    speed: Speed,
) -> Result<(Player, Option<&'static str>), Failure> {
    check_sound(recording)?;
    let player = Player::open(vault, recording, from, speed)?;
    // The loudspeaker is there; it hears nothing before this is durable.
    let note = log::begin(vault, Deed::Play, &[recording.id], &from_position(from))?;
    Ok((player, note))
}

/// The sample (at 48 kHz) at this position.
#[must_use]
pub fn sample_at(position: Duration) -> u64 {
    (position.as_secs_f64() * f64::from(STORED_RATE_HZ)) as u64
}

fn from_position(sample: u64) -> String {
    format!("from {}", clock(length_of(sample)))
}

fn check_sound(recording: &Recording) -> Result<(), Failure> {
    let Some(why) = recording.why_no_sound() else {
        return Ok(());
    };
    let failure = Failure::new(Exit::NotFound, "can't play", why).about(recording.id.short());
    Err(failure.hint(match recording.sound_left() {
        SoundLeft::Lost => "`voxvault restore` brings it back from a backup that has it",
        SoundLeft::Here | SoundLeft::Shredded => {
            "`voxvault show` shows its text, where there is one"
        }
    }))
}
