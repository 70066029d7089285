//! Where a CTranslate2 model is found: a folder, a wheel, or several of them
//! whose `model.bin` comes in parts.
//!
//! Nothing is unpacked to disk and no name inside an archive is used as a
//! path: entries are known by the last part of their name and read as streams.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::vocabulary::{self, Listing};
use super::{Error, Fault};

const WEIGHTS: &str = "model.bin";
/// The largest published one has 3 MB.
const LARGEST_LISTING: u64 = 16 << 20;
/// large has 3.1 GB.
const LARGEST_WEIGHTS: u64 = 8 << 30;
/// A wheel with more files than this is something else.
const MOST_ENTRIES: usize = 10_000;

/// A file, or an entry of a wheel.
#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Entry { wheel: PathBuf, index: usize },
}

/// What a file is for, by its name.
enum Role {
    /// `model.bin` is part 0, `model.bin.part2` part 2.
    Weights(u32),
    Listing(Listing),
}

fn role(name: &str) -> Option<Role> {
    match name {
        "vocabulary.txt" => return Some(Role::Listing(Listing::Lines)),
        "vocabulary.json" => return Some(Role::Listing(Listing::Array)),
        "tokenizer.json" => return Some(Role::Listing(Listing::Table)),
        WEIGHTS => return Some(Role::Weights(0)),
        _ => {}
    }
    let part = name.strip_prefix(WEIGHTS)?.strip_prefix('.')?;
    let number = part
        .strip_prefix("part")
        .unwrap_or(part)
        .trim_start_matches(['-', '_', '.']);
    number.parse().ok().map(Role::Weights)
}

/// The files of one CTranslate2 model.
#[derive(Debug, Default)]
pub(super) struct Package {
    parts: BTreeMap<u32, Place>,
    listings: Vec<(Listing, Place)>,
}

impl Package {
    /// Finds the model's files in folders, wheels and single files.
    pub(super) fn find(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut package = Self::default();
        for path in paths {
            package.add(path).map_err(|fault| Error::Refused {
                path: path.clone(),
                fault,
            })?;
        }
        let first = paths.first().cloned().unwrap_or_default();
        package
            .complete()
            .map_err(|fault| Error::Refused { path: first, fault })?;
        Ok(package)
    }

    fn add(&mut self, path: &Path) -> Result<(), Fault> {
        if path.is_dir() {
            return self.add_folder(path, Wanted::Everything);
        }
        if is_archive(path)? {
            return self.add_wheel(path);
        }
        self.add_named(&base_name(path), Place::File(path.to_path_buf()))?;
        // A single `model.bin` has its vocabulary beside it.
        match path.parent() {
            Some(folder) => self.add_folder(folder, Wanted::Listings),
            None => Ok(()),
        }
    }

    fn add_folder(&mut self, folder: &Path, wanted: Wanted) -> Result<(), Fault> {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        for entry in folder.read_dir().map_err(Fault::Read)? {
            let path = entry.map_err(Fault::Read)?.path();
            let name = base_name(&path);
            let weights = matches!(role(&name), Some(Role::Weights(_)));
            if path.is_file() && !(weights && wanted == Wanted::Listings) {
                self.add_named(&name, Place::File(path))?;
            }
        }
        Ok(())
    }

    fn add_wheel(&mut self, wheel: &Path) -> Result<(), Fault> {
        let archive = open_archive(wheel)?;
        for index in 0..archive.len() {
            let Some(name) = archive.name_for_index(index) else {
                continue;
            };
            let name = name.map_err(archive_fault)?;
            let base = name
                .rsplit(['/', '\\'])
                .next()
                .unwrap_or_default()
                .to_owned();
            self.add_named(
                &base,
                Place::Entry {
                    wheel: wheel.to_path_buf(),
                    index,
                },
            )?;
        }
        Ok(())
    }

    fn add_named(&mut self, name: &str, place: Place) -> Result<(), Fault> {
        match role(name) {
            Some(Role::Weights(part)) => match self.parts.insert(part, place) {
                Some(_) => Err(Fault::Twice {
                    what: name.to_owned(),
                }),
                None => Ok(()),
            },
            Some(Role::Listing(listing)) => {
                self.listings.push((listing, place));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The parts must be numbered without a gap, from 0 or 1 on.
    fn complete(&self) -> Result<(), Fault> {
        let Some(first) = self.parts.keys().next().copied() else {
            return Err(Fault::NoWeights);
        };
        let numbers = first.min(1)..;
        match self
            .parts
            .keys()
            .zip(numbers)
            .find(|(number, wanted)| *number != wanted)
        {
            Some((_, missing)) => Err(Fault::MissingPart { missing }),
            None if self.listings.is_empty() => Err(Fault::Vocabulary {
                why: "there is no vocabulary.txt, vocabulary.json or tokenizer.json".to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Reads all of `model.bin`, its parts one after another.
    pub(super) fn read_weights<T>(
        &self,
        read: &mut dyn FnMut(&mut dyn Read) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut opened = self
            .parts
            .values()
            .map(Opened::open)
            .collect::<Result<Vec<_>, Fault>>()?;
        let streams = opened
            .iter_mut()
            .map(Opened::stream)
            .collect::<Result<VecDeque<_>, Fault>>()?;
        read(&mut Chain { streams }.take(LARGEST_WEIGHTS))
    }

    /// The first `count` tokens, from the first listing that can be used.
    pub(super) fn tokens(&self, count: u32) -> Result<Vec<Vec<u8>>, Fault> {
        let mut why = Fault::Vocabulary {
            why: "there is none".to_owned(),
        };
        for wanted in [Listing::Lines, Listing::Array, Listing::Table] {
            for (listing, place) in &self.listings {
                if *listing != wanted {
                    continue;
                }
                match read_text(place).and_then(|text| vocabulary::tokens(*listing, &text, count)) {
                    Ok(tokens) => return Ok(tokens),
                    Err(fault) => why = fault,
                }
            }
        }
        Err(why)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Everything,
    Listings,
}

fn base_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Whether the file begins like a zip archive.
fn is_archive(path: &Path) -> Result<bool, Fault> {
    let mut magic = Vec::new();
    File::open(path)
        .and_then(|file| file.take(4).read_to_end(&mut magic))
        .map_err(Fault::Read)?;
    Ok(magic == b"PK\x03\x04")
}

fn open_archive(wheel: &Path) -> Result<ZipArchive<BufReader<File>>, Fault> {
    let file = File::open(wheel).map_err(Fault::Read)?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(archive_fault)?;
    if archive.len() > MOST_ENTRIES {
        return Err(Fault::Archive {
            why: format!("it has {} entries", archive.len()),
        });
    }
    Ok(archive)
}

fn archive_fault(error: ZipError) -> Fault {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => Fault::Read(error),
        other => Fault::Archive {
            why: other.to_string(),
        },
    }
}

fn read_text(place: &Place) -> Result<String, Fault> {
    let mut opened = Opened::open(place)?;
    let mut text = String::new();
    let read = opened
        .stream()?
        .take(LARGEST_LISTING)
        .read_to_string(&mut text);
    read.map_err(|error| Fault::Vocabulary {
        why: error.to_string(),
    })?;
    Ok(text)
}

/// A file or archive held open while its stream is read.
enum Opened {
    File(File),
    Wheel(Box<ZipArchive<BufReader<File>>>, usize),
}

impl Opened {
    fn open(place: &Place) -> Result<Self, Fault> {
        match place {
            Place::File(path) => File::open(path).map(Self::File).map_err(Fault::Read),
            Place::Entry { wheel, index } => {
                Ok(Self::Wheel(Box::new(open_archive(wheel)?), *index))
            }
        }
    }

    fn stream(&mut self) -> Result<Box<dyn Read + '_>, Fault> {
        Ok(match self {
            Self::File(file) => Box::new(BufReader::with_capacity(1 << 18, file)),
            Self::Wheel(archive, index) => Box::new(BufReader::with_capacity(
                1 << 18,
                archive.by_index(*index).map_err(archive_fault)?,
            )),
        })
    }
}

/// Streams read one after another.
struct Chain<'a> {
    streams: VecDeque<Box<dyn Read + 'a>>,
}

impl Read for Chain<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(stream) = self.streams.front_mut() {
            let read = stream.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            self.streams.pop_front();
        }
        Ok(0)
    }
}
