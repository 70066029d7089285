//! Files that are taken in together: a folder, an archive, or one file and what stands
//! beside it. They are read where they lie.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::audio::{SoundFile, recorded_by_tag};
use crate::error::{Exit, Failure};
use crate::foreign::archive::{self, Archive, Entry};
use crate::foreign::told::{base_name, is_named_like_sound};
use crate::time::stamp::Stamp;

/// Files that are taken in together.
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    archive: Option<Archive>,
    /// What could not be looked at, and why.
    pub(super) refused: Vec<(PathBuf, Failure)>,
    /// What is neither file nor folder, such as links.
    pub(super) skipped: usize,
}

/// One file.
pub(super) struct Item {
    /// Its path below the folder or in the archive, its parts set apart by `/`.
    pub(super) name: String,
    /// What messages call it.
    pub(super) shown: PathBuf,
    place: Place,
}

enum Place {
    File(PathBuf),
    Entry(Entry),
}

impl Item {
    /// The last part of its name.
    pub(super) fn base_name(&self) -> &str {
        base_name(&self.name)
    }

    /// The ending of its name, small, without the dot.
    pub(super) fn ending(&self) -> String {
        match self.base_name().rsplit_once('.') {
            Some((_, ending)) => ending.to_lowercase(),
            None => String::new(),
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        is_named_like_sound(&self.name)
    }

    fn file(name: String, path: PathBuf) -> Self {
        Self {
            name,
            shown: path.clone(),
            place: Place::File(path),
        }
    }
}

impl Batch {
    /// One file, whatever its name is, and the files beside it that begin with its name.
    pub(super) fn of_file(path: &Path) -> Self {
        let own = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let own = own.unwrap_or_default();
        let stem = own.rsplit_once('.').map_or(own.as_str(), |(stem, _)| stem);
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut items = Vec::new();
        // Where the folder can't be read, there is nothing beside the file.
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_beside = name != own && name.starts_with(stem);
            if is_beside && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                items.push(Item::file(name, entry.path()));
            }
        }
        items.retain(|item| !item.is_sound());
        items.sort_by(|a, b| a.name.cmp(&b.name));
        items.insert(0, Item::file(own, path.to_owned()));
        Self {
            items,
            archive: None,
            refused: Vec::new(),
            skipped: 0,
        }
    }

    /// All regular files below a folder, in the order of their names. Links are not
    /// followed.
    pub(super) fn of_folder(folder: &Path) -> Self {
        let mut batch = Self {
            items: Vec::new(),
            archive: None,
            refused: Vec::new(),
            skipped: 0,
        };
        batch.walk(folder, "");
        batch
    }

    fn walk(&mut self, folder: &Path, prefix: &str) {
        let entries = folder
            .read_dir()
            .and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                let what = "can't read the folder";
                let failure = Failure::new(Exit::Failed, what, error.to_string());
                let failure = failure.about(folder.display());
                self.refused.push((folder.to_owned(), failure));
                return;
            }
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.walk(&entry.path(), &format!("{name}/")),
                Ok(kind) if kind.is_file() => self.items.push(Item::file(name, entry.path())),
                _ => self.skipped += 1,
            }
        }
    }

    /// The files in an archive, in the order of their names; entries that are not touched
    /// are refused.
    ///
    /// # Errors
    /// Why the archive is refused whole.
    pub(super) fn of_archive(path: &Path) -> Result<Self, Failure> {
        let about = |error: crate::foreign::Error| Failure::from(error).about(path.display());
        let archive = Archive::open(path).map_err(about)?;
        let (mut items, mut refused) = (Vec::new(), Vec::new());
        for entry in archive.entries() {
            let shown = PathBuf::from(format!("{}: {}", path.display(), entry.name));
            match &entry.refused {
                Some(why) => {
                    let failure = Failure::from(why.clone()).about(shown.display());
                    refused.push((shown, failure));
                }
                None => items.push(Item {
                    name: entry.name.clone(),
                    shown,
                    place: Place::Entry(entry.clone()),
                }),
            }
        }
        items.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            items,
            archive: Some(archive),
            refused,
            skipped: 0,
        })
    }

    /// All of a file, if it is no longer than that.
    pub(super) fn bytes(&mut self, item: usize, most: u64) -> Result<Vec<u8>, Failure> {
        let Some(item) = self.items.get(item) else {
            return Ok(Vec::new());
        };
        let read = match (&item.place, &mut self.archive) {
            (Place::File(path), _) => read_file(path, most),
            (Place::Entry(entry), Some(archive)) => archive.read(entry, most),
            (Place::Entry(_), None) => Ok(Vec::new()),
        };
        read.map_err(|error| Failure::from(error).about(item.shown.display()))
    }

    /// The sound of a file, and when its tags say that it was recorded.
    pub(super) fn sound(&mut self, item: usize) -> Result<(SoundFile, Option<Stamp>), Failure> {
        let gone = || Failure::new(Exit::Failed, "can't read the sound", "it is gone");
        let item = self.items.get(item).ok_or_else(gone)?;
        let which = item.shown.display().to_string();
        let about_it = |failure: Failure| match failure.which {
            Some(_) => failure,
            None => failure.about(&which),
        };
        let opened = match (&item.place, &mut self.archive) {
            (Place::File(path), _) => SoundFile::open(path)
                .map(|sound| (sound, stamp_of(path)))
                .map_err(Failure::from),
            (Place::Entry(entry), Some(archive)) => {
                sound_in(archive, entry, &item.ending(), &which)
            }
            (Place::Entry(_), None) => Err(gone()),
        };
        opened.map_err(about_it)
    }

    /// When a file was last changed, which for a recording is when it ended.
    pub(super) fn changed(&self, item: usize) -> Option<Zoned> {
        match &self.items.get(item)?.place {
            Place::File(path) => {
                let changed = std::fs::metadata(path).ok()?.modified().ok()?;
                let timestamp = jiff::Timestamp::try_from(changed).ok()?;
                Some(timestamp.to_zoned(TimeZone::system()))
            }
            Place::Entry(entry) => entry.changed?.to_zoned(TimeZone::system()).ok(),
        }
    }
}

fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, crate::foreign::Error> {
    use std::io::Read;
    let unreadable = |error: io::Error| crate::foreign::Error::Read {
        why: error.to_string(),
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    match bytes.len() as u64 {
        bytes if bytes > most => Err(crate::foreign::Error::TooLong { bytes, most }),
        _ => Ok(bytes),
    }
}

/// Pipes and devices have no tags that could be read twice.
fn stamp_of(path: &Path) -> Option<Stamp> {
    let is_file = path.metadata().is_ok_and(|facts| facts.is_file());
    recorded_by_tag(&mut is_file.then(|| File::open(path).ok()).flatten()?)
}

/// What is short is read whole, so that its tags and an index at its end are found; what
/// is long comes as a stream.
fn sound_in(
    archive: &mut Archive,
    entry: &Entry,
    ending: &str,
    which: &str,
) -> Result<(SoundFile, Option<Stamp>), Failure> {
    let most = match ending {
        "m4a" | "m4b" | "mp4" | "3gp" => archive::MOST_OF_M4A,
        _ => archive::MOST_IN_MEMORY,
    };
    if entry.bytes > most {
        let stream = Box::new(archive.stream(entry)?);
        let sound = SoundFile::from_named_stream(stream, Some(ending), which)?;
        return Ok((sound, None));
    }
    let bytes = archive.read(entry, most)?;
    let stamp = recorded_by_tag(&mut io::Cursor::new(&bytes));
    Ok((SoundFile::in_memory(bytes, Some(ending), which)?, stamp))
}
