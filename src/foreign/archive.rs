//! Zip archives, read where they lie: nothing is unpacked to disk.
//!
//! An archive is refused whole where its directory is not to be trusted: too many entries,
//! two of one name, entries that lie over each other. One entry is refused where its name
//! leads out of the archive, where it is encrypted, a link, or an archive itself, and where
//! it would unpack to far more than it takes up or to something else than it says. No name
//! in it is ever used as a path.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use zip::ZipArchive;
use zip::result::ZipError;

use super::Error;
use crate::fence::fenced;

/// What is known of an archive before it is opened.
const MOST_ENTRIES: u64 = 100_000;
const MOST_DIRECTORY_BYTES: u64 = 64 << 20;

/// Nothing that is smaller than this is a bomb.
const BOMB_FROM_BYTES: u64 = 64 << 20;
/// Sound hardly shrinks, silence by far more than this; nobody packs hours of silence.
const BOMB_RATIO: u64 = 200;

/// What is read into memory at most; longer sound comes as a stream.
pub const MOST_IN_MEMORY: u64 = 32 << 20;

/// The same for M4A, which can't be read as a stream: its index may be at its end.
pub const MOST_OF_M4A: u64 = 256 << 20;

type Zip = ZipArchive<BufReader<File>>;

/// An archive that is open.
pub struct Archive {
    path: PathBuf,
    zip: Zip,
    entries: Vec<Entry>,
}

/// One file in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, its parts set apart by `/`.
    pub name: String,
    /// What it says it unpacks to.
    pub bytes: u64,
    /// When it was changed, on the clock of who packed it.
    pub changed: Option<jiff::civil::DateTime>,
    /// Why it is not touched, if it is not.
    pub refused: Option<Error>,
    index: usize,
}

/// Whether a file begins like a zip archive, an empty one included.
///
/// # Errors
/// When it can't be read.
pub fn is_archive(path: &Path) -> io::Result<bool> {
    let mut magic = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut magic)?;
    Ok(magic == b"PK\x03\x04" || magic == b"PK\x05\x06")
}

impl Archive {
    /// Opens an archive and looks at its directory.
    ///
    /// # Errors
    /// [`Error::Archive`] and [`Error::Read`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(|error| unreadable(&error))?;
        check_size(&mut file)?;
        let opened = fenced(|| ZipArchive::new(BufReader::new(file)));
        let mut zip = opened.ok_or_else(damaged)?.map_err(archive_error)?;
        if zip.has_duplicate_names() {
            return Err(refused("two entries in it have the same name"));
        }
        if zip.len() as u64 > MOST_ENTRIES {
            return Err(refused(&format!("it has {} entries", zip.len())));
        }
        let overlap = fenced(|| zip.has_overlapping_entries()).ok_or_else(damaged)?;
        if overlap.map_err(archive_error)? {
            return Err(refused("entries in it lie over each other"));
        }
        let mut entries = Vec::new();
        for index in 0..zip.len() {
            let entry = fenced(|| entry_at(&mut zip, index)).ok_or_else(damaged)?;
            entries.extend(entry?);
        }
        refuse_same_names(&mut entries);
        Ok(Self {
            path: path.to_owned(),
            zip,
            entries,
        })
    }

    /// The files in it, in the order of its directory. Folders are left out.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All of an entry.
    ///
    /// # Errors
    /// Why it is refused; [`Error::TooLong`] where it is longer than `most`.
    pub fn read(&mut self, entry: &Entry, most: u64) -> Result<Vec<u8>, Error> {
        if let Some(refused) = &entry.refused {
            return Err(refused.clone());
        }
        if entry.bytes > most {
            return Err(Error::TooLong {
                bytes: entry.bytes,
                most,
            });
        }
        let zip = &mut self.zip;
        let read = fenced(|| -> Result<Vec<u8>, Error> {
            let mut bytes = Vec::with_capacity(usize::try_from(entry.bytes).unwrap_or_default());
            let stream = zip.by_index(entry.index).map_err(entry_error)?;
            stream
                .take(entry.bytes + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| entry_refused(&error.to_string()))?;
            Ok(bytes)
        });
        let bytes = read.ok_or_else(damaged)??;
        match bytes.len() as u64 == entry.bytes {
            true => Ok(bytes),
            false => Err(lying()),
        }
    }

    /// An entry as a stream, unpacked on a thread of its own that ends with the stream. It
    /// is unpacked once before, into nothing: who reads a stream may stop before its end,
    /// where its checksum is compared.
    ///
    /// # Errors
    /// Why it is refused; [`Error::Read`] where the archive can't be opened once more.
    pub fn stream(&mut self, entry: &Entry) -> Result<Unpacking, Error> {
        if let Some(refused) = &entry.refused {
            return Err(refused.clone());
        }
        let zip = &mut self.zip;
        let checked = fenced(|| -> Result<u64, Error> {
            let stream = zip.by_index(entry.index).map_err(entry_error)?;
            io::copy(&mut stream.take(entry.bytes + 1), &mut io::sink())
                .map_err(|error| entry_refused(&error.to_string()))
        });
        if checked.ok_or_else(damaged)?? != entry.bytes {
            return Err(lying());
        }
        let file = File::open(&self.path).map_err(|error| unreadable(&error))?;
        let opened = fenced(|| ZipArchive::new(BufReader::new(file)));
        let zip = opened.ok_or_else(damaged)?.map_err(archive_error)?;
        Unpacking::start(zip, entry).map_err(|error| unreadable(&error))
    }
}

/// The entry of this place, unless it is a folder.
fn entry_at(zip: &mut Zip, index: usize) -> Result<Option<Entry>, Error> {
    let file = zip.by_index_raw(index).map_err(archive_error)?;
    if file.is_dir() {
        return Ok(None);
    }
    let raw = String::from_utf8_lossy(file.name_raw()).into_owned();
    let name = file.name().map_or(raw, |name| name.into_owned());
    let (bytes, packed) = (file.size(), file.compressed_size());
    let is_packed = name
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("zip"));
    let why = if leads_out(&name) {
        Some("its name leads out of the archive".to_owned())
    } else if file.encrypted() {
        Some("it is encrypted".to_owned())
    } else if file.is_symlink() {
        Some("it is a link".to_owned())
    } else if bytes > BOMB_FROM_BYTES && bytes / BOMB_RATIO > packed {
        Some(format!("it says it unpacks from {packed} bytes to {bytes}"))
    } else if is_packed {
        Some("it is an archive itself; unpack it, or import it by itself".to_owned())
    } else {
        None
    };
    Ok(Some(Entry {
        bytes,
        changed: file.last_modified().and_then(|at| {
            jiff::civil::DateTime::new(
                i16::try_from(at.year()).ok()?,
                i8::try_from(at.month()).ok()?,
                i8::try_from(at.day()).ok()?,
                i8::try_from(at.hour()).ok()?,
                i8::try_from(at.minute()).ok()?,
                i8::try_from(at.second()).ok()?,
                0,
            )
            .ok()
        }),
        refused: why.map(|why| entry_refused(&why)),
        name,
        index,
    }))
}

/// An absolute name, one with `..`, a drive, a backslash or a NUL.
fn leads_out(name: &str) -> bool {
    let has_drive = name.as_bytes().get(1) == Some(&b':');
    has_drive
        || name.starts_with('/')
        || name.contains(['\\', '\0'])
        || name.split('/').any(|part| part == ".." || part == ".")
}

/// Names that only differ in case or by how they are written are the same to some who
/// unpack them; which of them is meant can't be known.
fn refuse_same_names(entries: &mut [Entry]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries.iter() {
        *seen.entry(entry.name.to_lowercase()).or_default() += 1;
    }
    for entry in entries.iter_mut() {
        if seen
            .get(&entry.name.to_lowercase())
            .is_some_and(|times| *times > 1)
        {
            let why = entry_refused("another entry has the same name but for its case");
            entry.refused.get_or_insert(why);
        }
    }
}

/// Looks at how many entries the end of the archive speaks of, before anything is kept in
/// memory for each of them.
fn check_size(file: &mut File) -> Result<(), Error> {
    const TAIL_BYTES: u64 = 65_557 + 20;
    let trouble = |error: io::Error| unreadable(&error);
    let end = file.seek(SeekFrom::End(0)).map_err(trouble)?;
    let start = end.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start)).map_err(trouble)?;
    let mut tail = Vec::new();
    file.by_ref()
        .take(TAIL_BYTES)
        .read_to_end(&mut tail)
        .map_err(trouble)?;
    let at = tail
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x05\x06")
        .ok_or_else(|| refused("it is cut off: its directory is missing"))?;
    let (mut count, mut bytes) = (
        u64::from(u16_at(&tail, at + 10).unwrap_or_default()),
        u64::from(u32_at(&tail, at + 12).unwrap_or_default()),
    );
    // Where the numbers are too large for it, they stand in another record.
    let locator = at
        .checked_sub(20)
        .filter(|at| tail.get(*at..at + 4) == Some(b"PK\x06\x07"));
    if let Some(locator) = locator
        && let Some(offset) = u64_at(&tail, locator + 8)
    {
        file.seek(SeekFrom::Start(offset.min(end)))
            .map_err(trouble)?;
        let mut record = Vec::new();
        file.by_ref()
            .take(56)
            .read_to_end(&mut record)
            .map_err(trouble)?;
        if record.starts_with(b"PK\x06\x06") {
            count = count.max(u64_at(&record, 32).unwrap_or_default());
            bytes = bytes.max(u64_at(&record, 40).unwrap_or_default());
        }
    }
    if count > MOST_ENTRIES || (bytes > MOST_DIRECTORY_BYTES && bytes != u64::from(u32::MAX)) {
        let why = format!("it has {count} entries; {MOST_ENTRIES} at most are looked at");
        return Err(refused(&why));
    }
    file.rewind().map_err(trouble)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|b| u32::from_le_bytes(*b))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|b| u64::from_le_bytes(*b))
}

/// An entry on its way out of its archive.
pub struct Unpacking {
    pieces: Option<Mutex<Receiver<io::Result<Vec<u8>>>>>,
    thread: Option<JoinHandle<()>>,
    piece: io::Cursor<Vec<u8>>,
}

impl Unpacking {
    fn start(mut zip: Zip, entry: &Entry) -> io::Result<Self> {
        const PIECE_BYTES: usize = 64 << 10;
        let (sender, receiver) = sync_channel(4);
        let (index, said) = (entry.index, entry.bytes);
        let unpack = move || {
            let unpacked = fenced(|| {
                let mut stream = zip.by_index(index).map_err(io::Error::other)?;
                let mut left = said;
                loop {
                    let mut piece = vec![0; PIECE_BYTES];
                    let read = stream.read(&mut piece)?;
                    if read as u64 > left || (read == 0 && left > 0) {
                        return Err(io::Error::other(lying().to_string()));
                    }
                    left -= read as u64;
                    piece.truncate(read);
                    // Who reads it may have had enough.
                    if read == 0 || sender.send(Ok(piece)).is_err() {
                        return Ok(());
                    }
                }
            });
            let error = match unpacked {
                Some(Ok(())) => return,
                Some(Err(error)) => error,
                None => io::Error::other(damaged().to_string()),
            };
            let _ = sender.send(Err(error));
        };
        let thread = thread::Builder::new().name("unpack".into()).spawn(unpack)?;
        Ok(Self {
            pieces: Some(Mutex::new(receiver)),
            thread: Some(thread),
            piece: io::Cursor::default(),
        })
    }
}

impl Read for Unpacking {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let Some(Ok(pieces)) = self.pieces.as_mut().map(Mutex::get_mut) else {
                return Ok(0);
            };
            match pieces.recv() {
                Ok(piece) => self.piece = io::Cursor::new(piece?),
                Err(_) => return Ok(0),
            }
        }
    }
}

impl Drop for Unpacking {
    fn drop(&mut self) {
        // Its next piece finds nobody, and it ends.
        self.pieces = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn unreadable(error: &io::Error) -> Error {
    Error::Read {
        why: error.to_string(),
    }
}

fn refused(why: &str) -> Error {
    Error::Archive {
        why: why.to_owned(),
    }
}

fn entry_refused(why: &str) -> Error {
    Error::Entry {
        why: why.to_owned(),
    }
}

fn lying() -> Error {
    entry_refused("it unpacks to something else than it says")
}

fn damaged() -> Error {
    refused("it is damaged")
}

fn archive_error(error: ZipError) -> Error {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => unreadable(&error),
        other => refused(&other.to_string()),
    }
}

fn entry_error(error: ZipError) -> Error {
    match error {
        ZipError::Io(error) => unreadable(&error),
        other => entry_refused(&other.to_string()),
    }
}
