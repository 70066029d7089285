//! Takes in sound files and folders of them. Works while the vault is locked.

use std::path::{Path, PathBuf};

use super::record::{self, Taken, Transcribing};
use super::{Context, Listening, Progress, Unit, edit};
use crate::audio::SoundFile;
use crate::error::{Exit, Failure};
use crate::recording::{Moment, Source};
use crate::vault::Vault;
use crate::worker::taking;

/// What to take in.
#[derive(Debug, Clone, Default)]
pub struct Args {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// The title; each file's name unless given.
    pub title: Option<String>,
    /// Tags for all of them, in order.
    pub tags: Vec<String>,
    /// Whether to transcribe at the end.
    pub transcribing: Transcribing,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The recordings that are in the vault now.
    pub taken: Vec<Taken>,
    /// The files that could not be taken in; they have been told already.
    pub refused: Vec<(PathBuf, Failure)>,
    /// How many files of the folders are not sound.
    pub skipped: usize,
    /// What ended the work early; what was taken in by then stays.
    pub stopped: Option<Failure>,
}

/// Takes in every file that is sound. A file is taken in whole or not at all.
///
/// # Errors
/// When there is no vault or a tag can't be used. What happens later is in the
/// outcome: files that were taken in by then stay.
pub fn run(context: &Context, args: &Args, progress: &dyn Progress) -> Result<Outcome, Failure> {
    let args = Args {
        tags: edit::parse_tags(&args.tags)?,
        ..args.clone()
    };
    let vault = context.vault()?;
    let mut outcome = Outcome::default();
    outcome.stopped = take_all(context, &vault, &args, &mut outcome, progress).err();
    if outcome.skipped > 0 {
        progress.note(&format!(
            "{} files that are not sound were skipped",
            outcome.skipped
        ));
    }
    let finished = record::finish(context, &mut outcome.taken, args.transcribing, progress);
    outcome.stopped = outcome.stopped.or(finished.err());
    Ok(outcome)
}

fn take_all(
    context: &Context,
    vault: &Vault,
    args: &Args,
    outcome: &mut Outcome,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    for path in &args.paths {
        if !path.is_dir() {
            take(context, vault, args, path, outcome, progress)?;
            continue;
        }
        let files = match files_below(path) {
            Ok(files) => files,
            Err(failure) => {
                progress.refuse(&failure);
                outcome.refused.push((path.clone(), failure));
                continue;
            }
        };
        for file in files {
            if looks_like_sound(&file) {
                take(context, vault, args, &file, outcome, progress)?;
            } else {
                outcome.skipped += 1;
            }
        }
    }
    Ok(())
}

fn take(
    context: &Context,
    vault: &Vault,
    args: &Args,
    file: &Path,
    outcome: &mut Outcome,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    match take_one(context, vault, args, file, progress) {
        Ok(taken) => {
            outcome.taken.push(taken);
            Ok(())
        }
        Err(failure) if progress.cancelled() || stops_all(failure.exit) => Err(failure),
        Err(failure) => {
            progress.refuse(&failure);
            outcome.refused.push((file.to_owned(), failure));
            Ok(())
        }
    }
}

/// Whether the next file would fail in the same way.
fn stops_all(exit: Exit) -> bool {
    matches!(exit, Exit::NoSpace | Exit::Busy)
}

fn take_one(
    context: &Context,
    vault: &Vault,
    args: &Args,
    file: &Path,
    progress: &dyn Progress,
) -> Result<Taken, Failure> {
    let about_it = |failure: Failure| match failure.which {
        Some(_) => failure,
        None => failure.about(file.display()),
    };
    let sound = SoundFile::open(file).map_err(|error| about_it(error.into()))?;
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let title = args.title.clone().unwrap_or_else(|| title_of(file));
    let mut card = taking::card(Source::Import, title, args.tags.clone(), context.now());
    if let Some(moment) = date_of(file, card.added_at) {
        card.recorded_at = moment;
    }
    let what = format!("importing {}", name.as_deref().unwrap_or("sound"));
    let total = sound
        .duration_hint()
        .map(|length| length.as_millis() as u64);
    progress.begin(&what, total, Unit::SoundMs);
    let taken = taking::from_file(vault, sound, card, &Listening(progress));
    progress.end();
    let taken = taken.map_err(about_it)?;
    if taken.cut_short {
        progress.note(&format!(
            "{} is shorter than its header says; what is there was taken",
            file.display()
        ));
    }
    let file = Some(file.display().to_string());
    Ok(Taken {
        id: taken.id,
        file,
        duration: taken.duration,
        state: taken.state,
    })
}

/// The file's name without its ending.
fn title_of(file: &Path) -> String {
    file.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// When the file was last changed, which for a recording is when it ended.
fn date_of(file: &Path, at: Moment) -> Option<Moment> {
    let changed = std::fs::metadata(file).ok()?.modified().ok()?;
    let timestamp = jiff::Timestamp::try_from(changed).ok()?;
    let unix_ms = timestamp.as_millisecond().min(at.unix_ms);
    let zoned = jiff::Timestamp::from_millisecond(unix_ms).ok()?;
    Some(Moment::from_zoned(
        &zoned.to_zoned(jiff::tz::TimeZone::system()),
    ))
}

/// All regular files below a folder, in the order of their names. Links are
/// not followed.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Failed, "can't read the folder", error.to_string())
            .about(folder.display())
    };
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            files.extend(files_below(&entry.path())?);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// In a folder, only files that are named like sound are tried.
fn looks_like_sound(file: &Path) -> bool {
    const ENDINGS: [&str; 17] = [
        "wav", "wave", "flac", "mp3", "m4a", "m4b", "mp4", "aac", "ogg", "oga", "opus", "webm",
        "mka", "mkv", "aif", "aiff", "aifc",
    ];
    file.extension().is_some_and(|ending| {
        ENDINGS
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}
