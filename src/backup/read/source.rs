//! Where the segments of a backup lie: in a folder, or one of them in a file.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::backup::error::{Error, Result};
use crate::backup::layout::{Found, gaps, segment_name};

/// A segment, before anything of it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentFile {
    /// What it is called in messages.
    pub which: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Its number by its name; `None` for a file that was given alone.
    pub number: Option<u32>,
    /// Its length.
    pub bytes: u64,
}

impl SegmentFile {
    /// One that lies in a folder, under the name of this number.
    fn numbered(number: u32, which: String, path: PathBuf) -> Self {
        Self {
            which,
            // What can't be read is named once it is opened.
            bytes: fs::metadata(&path).map_or(0, |found| found.len()),
            path,
            number: Some(number),
        }
    }
}

/// The segments of a backup, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    dir: Option<PathBuf>,
    segments: Vec<SegmentFile>,
    /// Names in the folder that are no backup's.
    strange: Vec<String>,
    parts: Vec<String>,
}

impl Source {
    /// Looks what lies there.
    ///
    /// # Errors
    /// [`Error::NoBackup`] if that is nothing of a backup, [`Error::NoFile`] if it is a pipe
    /// or a device.
    pub fn find(at: &Path) -> Result<Self> {
        let nothing = || Error::NoBackup { at: at.to_owned() };
        let found = match fs::metadata(at) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(nothing()),
            found => found.map_err(Error::io("read", at))?,
        };
        if !found.is_dir() && !found.is_file() {
            return Err(Error::NoFile { at: at.to_owned() });
        }
        if !found.is_dir() {
            let name = at.file_name().unwrap_or(at.as_os_str());
            return Ok(Self {
                dir: None,
                segments: vec![SegmentFile {
                    which: name.to_string_lossy().into_owned(),
                    path: at.to_owned(),
                    number: None,
                    bytes: found.len(),
                }],
                strange: Vec::new(),
                parts: Vec::new(),
            });
        }
        let mut source = Self {
            dir: Some(at.to_owned()),
            segments: Vec::new(),
            strange: Vec::new(),
            parts: Vec::new(),
        };
        for entry in fs::read_dir(at).map_err(Error::io("list", at))? {
            let entry = entry.map_err(Error::io("list", at))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            match Found::parse(&name) {
                Found::Segment(number) => {
                    let segment = SegmentFile::numbered(number, name, entry.path());
                    source.segments.push(segment);
                }
                Found::Part => source.parts.push(name),
                Found::Slot(_) => {}
                Found::Foreign => source.strange.push(name),
            }
        }
        source.segments.sort_by_key(|one| one.number);
        source.parts.sort();
        source.strange.sort();
        match source.segments.is_empty() {
            true => Err(nothing()),
            false => Ok(source),
        }
    }

    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &[SegmentFile] {
        &self.segments
    }

    /// Files that are named like segments and lie beside one that was given alone, in order;
    /// where that is a link, also beside what it points to.
    ///
    /// # Errors
    /// If a folder can't be listed.
    pub fn siblings(&self) -> Result<Vec<SegmentFile>> {
        let target = self.place();
        let here = self
            .slots_dir()
            .map(|dir| match dir.as_os_str().is_empty() {
                true => Path::new("."),
                false => dir,
            });
        let dirs = [here, target.parent()].into_iter().flatten();
        let dirs: BTreeSet<PathBuf> = dirs.filter_map(|dir| dir.canonicalize().ok()).collect();
        let mut siblings = Vec::new();
        for dir in dirs {
            for entry in fs::read_dir(&dir).map_err(Error::io("list", &dir))? {
                let entry = entry.map_err(Error::io("list", &dir))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if let Found::Segment(number) = Found::parse(&name) {
                    siblings.push(SegmentFile::numbered(number, name, entry.path()));
                }
            }
        }
        siblings.sort_by_key(|one| one.number);
        Ok(siblings)
    }

    /// Whether it is a folder, in which all of them have to be.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.dir.is_some()
    }

    /// What lies there beside and is no damage.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let part = |name: &String| {
            format!("{name}: a run that did not come to its end; the next one goes on there")
        };
        let strange = |name: &String| format!("{name}: not a file of a backup");
        let parts = self.parts.iter().map(part);
        parts.chain(self.strange.iter().map(strange)).collect()
    }

    /// Numbers up to the last one that have no file.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let there = self.segments.iter().filter_map(|one| one.number);
        let there: BTreeSet<u32> = there.collect();
        let last = there.last().copied().unwrap_or(0);
        let missing = gaps(last, |number| there.contains(number));
        missing.map(segment_name).collect()
    }

    /// The folder, if it is one.
    #[must_use]
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Where it lies, without links as far as that can be told.
    #[must_use]
    pub fn place(&self) -> PathBuf {
        let segment = || self.segments.first().map(|one| one.path.as_path());
        let at = self.dir().or_else(segment).unwrap_or(Path::new("."));
        at.canonicalize().unwrap_or_else(|_| at.to_owned())
    }

    /// The folder in which copies of the ways in lie.
    #[must_use]
    pub fn slots_dir(&self) -> Option<&Path> {
        let beside = || self.segments.first()?.path.parent();
        self.dir.as_deref().or_else(beside)
    }
}
