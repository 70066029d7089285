//! Writes decrypted copies: sound or text, for people and other programs.

mod names;

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use self::names::Names;
use super::text::TextFormat;
use super::{
    Context, Listening, Progress, Unit, log, merge_quietly, outside, resolve, search,
    tell_of_damage, tell_of_silence,
};
use crate::error::{Exit, Failure};
use crate::recording::{Recording, RecordingId};
use crate::search::Query;
use crate::vault::{Deed, OpenVault};
use crate::worker::sounding::{self, SoundFormat};

/// What a copy is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Sound.
    Sound(SoundFormat),
    /// The newest transcript.
    Text(TextFormat),
}

impl Format {
    /// The ending of its files, without the dot.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Sound(sound) => sound.ending(),
            Self::Text(text) => text.ending(),
        }
    }
}

/// What to do where a file stands already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Leave it and fail.
    #[default]
    Keep,
    /// Replace it, if it is a file; of a link the link, not what it leads to.
    Replace,
}

/// Where copies go.
pub enum Destination<'a> {
    /// The folder one stands in, named after date and title.
    Here,
    /// A file for one recording; a folder for several, or if it is one.
    Path(PathBuf),
    /// A stream; for one recording.
    Stream(&'a mut dyn Write),
}

/// What to export.
pub struct Args<'a> {
    /// Ids, `last`, or filters.
    pub which: Vec<String>,
    /// Instead of those: all recordings that this query finds.
    pub query: Option<String>,
    /// As what.
    pub format: Format,
    /// Where to.
    pub to: Destination<'a>,
    /// What to do where a file stands already.
    pub existing: Existing,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The files that were written.
    pub written: Vec<PathBuf>,
    /// Those that could not be written; they have been told already.
    pub refused: Vec<(PathBuf, Failure)>,
}

/// Exports and answers with the files that were written. Of several, one that
/// can't be written does not keep the others from being.
///
/// # Errors
/// When nothing is named, a file stands in the way, a recording has no sound
/// or text to give, or the destination can't be written.
pub fn run(context: &Context, args: Args<'_>, progress: &dyn Progress) -> Result<Outcome, Failure> {
    let now = context.clock.now();
    let selection = match &args.query {
        Some(_) => None,
        None => Some(resolve::Selection::parse(&args.which)?),
    };
    let vault = context.unlocked()?;
    let merged = merge_quietly(&vault, progress)?;
    let listing = vault.listing()?;
    let all = &listing.recordings;
    let ids = match (&selection, &args.query) {
        (Some(selection), _) => {
            let found = selection.to_read(&listing, &now, progress);
            outside::unless_outside(found, &vault, &args.which, &merged, "can't export")?
        }
        (None, query) => {
            tell_of_damage(&listing.damaged, progress);
            found(&vault, all, query.as_deref().unwrap_or_default(), &now)?
        }
    };
    let chosen: Vec<&Recording> = ids
        .iter()
        .filter_map(|id| all.iter().find(|recording| recording.id == *id))
        .collect();
    let only = match (ids.as_slice(), chosen.as_slice()) {
        ([_], [recording]) => Some(*recording),
        _ => None,
    };
    let folder = match args.to {
        Destination::Stream(stream) => {
            let Some(recording) = only else {
                let why = format!("{} recordings can't go into one stream", ids.len());
                return Err(Failure::new(Exit::Usage, "can't export", why)
                    .hint("name one, or a folder with -o DIR"));
            };
            progress.begin("exporting", None, Unit::Items);
            let to = Whereto::Stream;
            let written = write(&vault, recording, args.format, to, stream, progress);
            progress.end();
            written?;
            progress.note("the copy is in the clear");
            return Ok(Outcome::default());
        }
        Destination::Path(path) if only.is_some() && !names_a_folder(&path) => {
            progress.begin("exporting", None, Unit::Items);
            let written = to_file(
                &vault,
                chosen[0],
                args.format,
                &path,
                args.existing,
                progress,
            );
            progress.end();
            written?;
            progress.note("the copy is in the clear");
            return Ok(Outcome {
                written: vec![path],
                refused: Vec::new(),
            });
        }
        Destination::Path(folder) => folder,
        Destination::Here => PathBuf::from("."),
    };
    make_folder(&folder).map_err(|error| unwritable(&folder, &error))?;
    let (mut outcome, mut names) = (Outcome::default(), Names::default());
    progress.begin("exporting", Some(chosen.len() as u64), Unit::Items);
    for recording in chosen {
        let path = folder.join(names.next(recording, args.format.ending()));
        match to_file(
            &vault,
            recording,
            args.format,
            &path,
            args.existing,
            progress,
        ) {
            Ok(()) => outcome.written.push(path),
            Err(failure) => {
                progress.refuse(&failure);
                let ends = progress.cancelled() || failure.exit == Exit::NoSpace;
                outcome.refused.push((path, failure));
                if ends {
                    break;
                }
            }
        }
        progress.advance((outcome.written.len() + outcome.refused.len()) as u64);
    }
    progress.end();
    match outcome.written.len() {
        0 => {}
        1 => progress.note("the copy is in the clear"),
        _ => progress.note("the copies are in the clear"),
    }
    Ok(outcome)
}

/// All recordings that a query finds, best first.
fn found(
    vault: &OpenVault,
    all: &[Recording],
    query: &str,
    now: &jiff::Zoned,
) -> Result<Vec<RecordingId>, Failure> {
    let index = search::build_index(vault, all)?;
    let hits = index.search(&Query::parse(query), now, usize::MAX).hits;
    match hits.is_empty() {
        false => Ok(hits.into_iter().map(|hit| hit.id).collect()),
        true => {
            let why = "no recording matches the query";
            Err(Failure::new(Exit::NotFound, "found nothing", why)
                .hint("`voxvault search` shows what is found"))
        }
    }
}

/// What is made for copies in the clear is for its owner alone; what is there stays as it
/// is.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// A folder that is there, or a name that says so by its end.
fn names_a_folder(path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    path.is_dir() || path.as_os_str().as_bytes().ends_with(b"/")
}

/// Writes to a temporary name beside the file and renames it, so that a copy
/// is there whole or not at all.
fn to_file(
    vault: &OpenVault,
    recording: &Recording,
    format: Format,
    path: &Path,
    existing: Existing,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    look_at_what_stands(path, existing)?;
    let part = beside(path, &format!(".{}.part", recording.id.short()));
    let written = create(&part)
        .map_err(|error| unwritable(path, &error))
        .and_then(|file| {
            let mut out = BufWriter::new(file);
            write(vault, recording, format, Whereto::File, &mut out, progress)?;
            let file = out
                .into_inner()
                .map_err(|error| unwritable(path, error.error()))?;
            file.sync_all().map_err(|error| unwritable(path, &error))?;
            publish(&part, path, existing).map_err(|error| unwritable(path, &error))
        });
    if written.is_err() {
        // Best effort: the message that follows is about the first failure.
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// Refuses to write where something stands that is to stay. A pipe or a device is never
/// replaced: who names one means to write into it. Of a link the link itself is replaced
/// and never what it leads to, so that nobody can lead a copy elsewhere.
fn look_at_what_stands(path: &Path, existing: Existing) -> Result<(), Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let refused = |why: &str, hint: &str| {
        let failure = Failure::new(Exit::Failed, "can't export", why);
        Err(failure.about(path.display()).hint(hint))
    };
    match (path.metadata(), existing) {
        (Ok(found), _) if found.is_dir() => refused(
            "a folder of that name is there",
            "give another name with -o",
        ),
        (Ok(found), _) if !found.is_file() => refused(
            "what is there is no file, and is not replaced",
            "-o - writes to standard output",
        ),
        (_, Existing::Keep) => refused("a file of that name is there", "--force replaces it"),
        (_, Existing::Replace) => Ok(()),
    }
}

/// The file of this name with a mark behind it; of a name that leaves it no room, the start.
pub(super) fn beside(path: &Path, mark: &str) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    /// No file system here has longer names.
    const MOST_BYTES: usize = 255;
    let name = path.file_name().unwrap_or_default().as_bytes();
    let mut length = name.len().min(MOST_BYTES.saturating_sub(mark.len()));
    let parts_a_character = |at: usize| name.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    while length > 0 && parts_a_character(length) {
        length -= 1;
    }
    let mut marked = OsStr::from_bytes(name.get(..length).unwrap_or_default()).to_owned();
    marked.push(mark);
    path.with_file_name(marked)
}

fn create(part: &Path) -> std::io::Result<File> {
    // What a killed export left there is in the way, and a link that somebody
    // else put there must not be followed.
    let _ = std::fs::remove_file(part);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part)
}

/// A hard link fails where a name is taken, also by somebody who came between
/// the check and now; a rename would replace it.
fn publish(part: &Path, path: &Path, existing: Existing) -> std::io::Result<()> {
    match existing {
        Existing::Replace => std::fs::rename(part, path),
        Existing::Keep => match std::fs::hard_link(part, path) {
            Ok(()) => std::fs::remove_file(part),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(error),
            // File systems without hard links.
            Err(_) => std::fs::rename(part, path),
        },
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::of_output("can't write the export", error).about(path.display())
}

/// Where a copy goes, as the log has it. The name of the file may say what the recording
/// is about, and the log outlives the recording.
#[derive(Clone, Copy)]
enum Whereto {
    File,
    Stream,
}

/// Logs that a copy is about to be written: before its first byte.
fn log_copy(
    vault: &OpenVault,
    recording: &Recording,
    format: Format,
    to: Whereto,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let to = match to {
        Whereto::File => "a file",
        Whereto::Stream => "a stream",
    };
    let detail = format!("{} to {to}", format.ending());
    if let Some(note) = log::begin(vault, Deed::Export, &[recording.id], &detail)? {
        progress.note(note);
    }
    Ok(())
}

fn write(
    vault: &OpenVault,
    recording: &Recording,
    format: Format,
    to: Whereto,
    out: &mut dyn Write,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let missing =
        |why: &str| Failure::new(Exit::NotFound, "can't export", why).about(recording.id.short());
    match format {
        Format::Sound(sound) => {
            if let Some(why) = recording.why_no_sound() {
                return Err(missing(why));
            }
            log_copy(vault, recording, format, to, progress)?;
            let control = Listening(progress);
            let silenced = sounding::write(vault, recording, sound, out, &control)?;
            tell_of_silence(recording.id, silenced, progress);
            Ok(())
        }
        Format::Text(text) => {
            let newest =
                recording
                    .versions
                    .last()
                    .ok_or_else(|| match recording.text_shredded {
                        true => missing("its text was shredded"),
                        false => {
                            let hint = "`voxvault transcribe` makes one";
                            missing("it has no transcript yet").hint(hint)
                        }
                    })?;
            let transcript = vault.transcript(recording.id, newest.number)?;
            let unwritten = |why: String| Failure::new(Exit::Failed, "can't write the export", why);
            let written = text
                .render(recording, &transcript)
                .map_err(|error| unwritten(error.to_string()))?;
            log_copy(vault, recording, format, to, progress)?;
            out.write_all(written.as_bytes())
                .map_err(|error| Failure::of_output("can't write the export", &error))
        }
    }
}
