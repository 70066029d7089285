//! The thread for what may take long and nobody waits for.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, Sender};

use super::desk::Job;
use super::halt::Leave;
use super::notes::Notes;
use super::{Answer, Shared};
use crate::audio::{StoredRate, StoredShape, StoredSound};
use crate::command::text::TextFormat;
use crate::command::{Progress, Unit, devices, export, log, model, transcribe};
use crate::error::Failure;
use crate::recording::{Recording, RecordingId, SEGMENT_SAMPLES};
use crate::tui::engine::{Equipment, Format, Logged, LoggedEntry, Piece};
use crate::vault::OpenVault;
use crate::worker::sounding::SoundFormat;

/// Columns of a waveform: as many as a wide terminal shows.
const COLUMNS: u64 = 240;
/// Up to this many segments all are heard; of longer ones some from each column.
const HEARD_WHOLE: u64 = 2 * COLUMNS;
/// The quietest level that a waveform shows, dBFS.
const FLOOR_DB: f32 = -60.0;

/// Something that may take long.
pub(super) enum Errand {
    /// With the keys, for as long as there is leave to use them.
    Keyed(Keyed, Leave),
    /// Microphones and models.
    Equipment,
    /// Another model.
    UseModel(String),
    /// The vault is locked.
    Forget,
    /// The end.
    End,
}

/// An errand that needs the vault open.
pub(super) enum Keyed {
    /// How loud a recording is over its length.
    Waveform(RecordingId),
    /// Copies in the clear.
    Export {
        /// Which.
        ids: Vec<RecordingId>,
        /// As what.
        format: Format,
        /// Where to.
        destination: String,
    },
    /// Another transcript.
    Transcribe(RecordingId),
    /// What was done with the recordings.
    Log,
}

pub(super) fn run(shared: &Shared, desk: &Sender<Job>, errands: &Receiver<Errand>) {
    let mut known: HashMap<RecordingId, Vec<u8>> = HashMap::new();
    let mut waiting: Vec<Errand> = Vec::new();
    loop {
        if waiting.is_empty() {
            match errands.recv() {
                Ok(errand) => waiting.push(errand),
                Err(_) => return,
            }
        }
        waiting.extend(errands.try_iter());
        let errand = waiting.remove(0);
        // Of several waveforms only the last is still looked at.
        if is_waveform(&errand) && waiting.iter().any(is_waveform) {
            continue;
        }
        let done = match errand {
            Errand::Keyed(errand, leave) => {
                let done = with_keys(shared, desk, &mut known, errand, &leave);
                // Whoever locked knows why it ended.
                if leave.is_over() { Ok(()) } else { done }
            }
            Errand::Equipment => look_at_equipment(shared),
            Errand::UseModel(name) => use_model(shared, desk, name),
            Errand::Forget => {
                known.clear();
                Ok(())
            }
            Errand::End => return,
        };
        if let Err(failure) = done {
            shared.complain(failure);
        }
    }
}

fn is_waveform(errand: &Errand) -> bool {
    matches!(errand, Errand::Keyed(Keyed::Waveform(_), _))
}

fn with_keys(
    shared: &Shared,
    desk: &Sender<Job>,
    known: &mut HashMap<RecordingId, Vec<u8>>,
    errand: Keyed,
    leave: &Leave,
) -> Result<(), Failure> {
    if leave.is_over() {
        return Ok(());
    }
    match errand {
        Keyed::Waveform(id) => show_waveform(shared, known, id, leave),
        Keyed::Export {
            ids,
            format,
            destination,
        } => write_copies(shared, &ids, format, &destination, leave),
        Keyed::Transcribe(id) => transcribe_again(shared, desk, id, leave),
        Keyed::Log => read_log(shared, leave),
    }
}

fn show_waveform(
    shared: &Shared,
    known: &mut HashMap<RecordingId, Vec<u8>>,
    id: RecordingId,
    leave: &Leave,
) -> Result<(), Failure> {
    let levels = match known.get(&id) {
        Some(levels) => levels.clone(),
        None => {
            let open = shared.context.unlocked()?;
            let recording = open.recording(id)?;
            if recording.audio_bytes == 0 {
                return Ok(());
            }
            let Some(levels) = waveform(&open, &recording, leave)? else {
                return Ok(());
            };
            known.insert(id, levels.clone());
            levels
        }
    };
    shared.tell(Answer::Waveform { id, levels });
    Ok(())
}

/// The loudest sample of each step, from the floor (0) to full scale (255);
/// `None` when the leave to look was withdrawn.
fn waveform(
    open: &OpenVault,
    recording: &Recording,
    leave: &Leave,
) -> Result<Option<Vec<u8>>, Failure> {
    let shape = StoredShape {
        samples: recording.card.samples,
        pre_skip: recording.card.pre_skip,
    };
    let mut reader = open.sound(recording.id)?;
    let mut pcm = Vec::new();
    if shape.segments() <= HEARD_WHOLE {
        let mut sound = StoredSound::new(shape, StoredRate::Speech)?;
        while sound.next_segment().is_some()
            && let Some(segment) = reader.next_segment()?
        {
            if leave.is_over() {
                return Ok(None);
            }
            sound.push(&segment.packets, &mut pcm)?;
        }
        let step = pcm
            .len()
            .div_ceil(usize::try_from(COLUMNS).unwrap_or(1))
            .max(1);
        return Ok(Some(pcm.chunks(step).map(level).collect()));
    }
    let mut levels = Vec::new();
    for column in 0..COLUMNS {
        if leave.is_over() {
            return Ok(None);
        }
        let start = shape.samples / COLUMNS * column;
        let mut sound = StoredSound::from_sample(shape, StoredRate::Speech, start)?;
        pcm.clear();
        // The first segment may only be the decoder's run-up.
        while pcm.len() < SEGMENT_SAMPLES as usize / 3
            && let Some(number) = sound.next_segment()
        {
            reader.seek(number);
            let Some(segment) = reader.next_segment()? else {
                break;
            };
            sound.push(&segment.packets, &mut pcm)?;
        }
        levels.push(level(&pcm));
    }
    Ok(Some(levels))
}

fn level(samples: &[f32]) -> u8 {
    let peak = samples
        .iter()
        .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let db = 20.0 * peak.max(1e-6).log10();
    // Saturates at both ends.
    ((db - FLOOR_DB) / -FLOOR_DB * 255.0) as u8
}

/// A path that somebody typed: `~/` is their home.
pub(super) fn typed_path(typed: &str) -> PathBuf {
    match typed.strip_prefix("~/").zip(std::env::var_os("HOME")) {
        Some((rest, home)) => PathBuf::from(home).join(rest),
        None => PathBuf::from(typed),
    }
}

fn write_copies(
    shared: &Shared,
    ids: &[RecordingId],
    format: Format,
    destination: &str,
    leave: &Leave,
) -> Result<(), Failure> {
    let _copying = shared.copies.begin();
    if leave.is_over() {
        return Ok(());
    }
    let path = typed_path(destination);
    let args = export::Args {
        which: ids.iter().map(ToString::to_string).collect(),
        query: None,
        format: match format {
            Format::Opus => export::Format::Sound(SoundFormat::Opus),
            Format::Wav => export::Format::Sound(SoundFormat::Wav),
            Format::Flac => export::Format::Sound(SoundFormat::Flac),
            Format::Txt => export::Format::Text(TextFormat::Txt),
            Format::Md => export::Format::Text(TextFormat::Md),
            Format::Srt => export::Format::Text(TextFormat::Srt),
            Format::Vtt => export::Format::Text(TextFormat::Vtt),
            Format::Json => export::Format::Text(TextFormat::Json),
        },
        to: export::Destination::Path(path),
        existing: export::Existing::Keep,
    };
    let exported = export::run(&shared.context, args, &Notes::until(leave))?;
    if let (true, Some((_, failure))) = (
        exported.written.is_empty(),
        exported.refused.into_iter().next(),
    ) {
        return Err(failure);
    }
    shared.tell(Answer::Exported {
        paths: exported
            .written
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
    });
    Ok(())
}

/// Says how far a transcript is.
struct Percent<'a> {
    shared: &'a Shared,
    total_ms: u64,
    said: AtomicU8,
    leave: &'a Leave,
}

impl Progress for Percent<'_> {
    fn begin(&self, _what: &str, _total: Option<u64>, _unit: Unit) {
        self.shared.tell(Answer::Transcribing {
            position: 1,
            of: 1,
            percent: 0,
        });
    }

    fn advance(&self, done: u64) {
        let percent = (done * 100)
            .checked_div(self.total_ms)
            .unwrap_or(0)
            .min(100);
        let percent = u8::try_from(percent).unwrap_or(100);
        if self.said.swap(percent, Ordering::Relaxed) != percent {
            self.shared.tell(Answer::Transcribing {
                position: 1,
                of: 1,
                percent,
            });
        }
    }

    fn end(&self) {
        self.shared.tell(Answer::TranscriberIdle);
    }

    fn note(&self, message: &str) {
        self.shared.tell(Answer::Notice(message.to_owned()));
    }

    fn refuse(&self, failure: &Failure) {
        if !self.leave.is_over() {
            self.shared.complain(failure.clone());
        }
    }

    fn deliver(&self, _line: &str) {}

    fn cancelled(&self) -> bool {
        self.leave.is_over()
    }
}

fn transcribe_again(
    shared: &Shared,
    desk: &Sender<Job>,
    id: RecordingId,
    leave: &Leave,
) -> Result<(), Failure> {
    let recording = shared.context.unlocked()?.recording(id)?;
    let total_ms = u64::try_from(recording.card.duration().as_millis()).unwrap_or(u64::MAX);
    let progress = Percent {
        shared,
        total_ms,
        said: AtomicU8::new(0),
        leave,
    };
    let args = transcribe::Args {
        ids: vec![id.to_string()],
        ..transcribe::Args::default()
    };
    let done = transcribe::run(&shared.context, &args, &progress);
    shared.tell(Answer::TranscriberIdle);
    done?;
    let _ = desk.send(Job::Transcribed(id));
    Ok(())
}

fn read_log(shared: &Shared, leave: &Leave) -> Result<(), Failure> {
    let log = log::run(&shared.context)?;
    let entries = log.entries.into_iter().rev().map(|entry| LoggedEntry {
        number: entry.number,
        at: entry.at,
        deed: entry.deed,
        stage: entry.stage,
        ids: entry.ids,
        detail: entry.detail,
    });
    let logged = Logged {
        entries: entries.collect(),
        lapses: log.lapses.iter().map(ToString::to_string).collect(),
        unanchored: usize::try_from(log.unanchored).unwrap_or(usize::MAX),
    };
    if !leave.is_over() {
        shared.tell(Answer::Log(logged));
    }
    Ok(())
}

fn look_at_equipment(shared: &Shared) -> Result<(), Failure> {
    let models = model::run(&shared.context, &model::Args::List, &Notes::default())?;
    let models = models.into_iter().map(|model| {
        let languages = if model.multilingual {
            "many languages"
        } else {
            "English"
        };
        let facts = format!(
            "{} · {languages}",
            crate::tui::view::words::bytes(model.bytes)
        );
        Piece {
            name: model.name,
            facts,
            in_use: model.in_use,
        }
    });
    let models = models.collect();
    let configured = shared.context.config.device.as_deref();
    let found = devices::run();
    let devices = found.as_deref().unwrap_or_default().iter().map(|device| {
        let facts = device.description.clone();
        let in_use = configured.map_or(device.default, |name| name == device.name);
        Piece {
            name: device.name.clone(),
            facts,
            in_use,
        }
    });
    shared.tell(Answer::Equipment(Equipment {
        devices: devices.collect(),
        models,
    }));
    found.map(drop)
}

fn use_model(shared: &Shared, desk: &Sender<Job>, name: String) -> Result<(), Failure> {
    model::run(&shared.context, &model::Args::Use(name), &Notes::default())?;
    let _ = desk.send(Job::Nudge);
    Ok(())
}
