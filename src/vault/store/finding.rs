//! Finds the records of a store wherever they lie in its bytes.
//!
//! Needs no tree: every frame in the file is looked at, and of those that the
//! bag's keys open the newest revision of each counts. What can't be read, such as
//! a bad sector, costs the records that it lies in. A few threads look at a piece
//! each.

use std::cmp::Reverse;
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::rows::ClipId;
use crate::recording::RecordingId;
use crate::transcript::Transcript;
use crate::vault::ground::disk::DiskFile;
use crate::vault::keys::bag::{Bag, Clip};
use crate::vault::log::{Entry, chain, entry};
use crate::vault::sealed::frame::{self, Facts, Frame, HEADER_BYTES, Kind, Unreadable};
use crate::vault::sealed::record::{self, CardRecord};
use crate::vault::sealed::scan;

/// Bytes of the store that one thread looks at in one go.
const WINDOW_BYTES: u64 = 4 << 20;

/// What the disk reads or fails to read as a whole.
const BLOCK_BYTES: usize = 4096;

/// More would wait for the disk.
const MOST_THREADS: usize = 4;

/// Where the newest revision of a record lies.
#[derive(Debug, Clone, Copy)]
pub(in crate::vault) struct Found {
    at: u64,
    /// Which of the recordings.
    clip: u32,
    /// Segment, or version of the transcript; 0 for a card.
    pub(in crate::vault) number: u32,
    revision: u32,
    pub(in crate::vault) kind: Kind,
}

/// What was found, by recording, kind and number.
#[derive(Debug, Default)]
pub(in crate::vault) struct Records {
    clips: Vec<ClipId>,
    pub(in crate::vault) found: Vec<Found>,
    /// Entries of the log, one of each number, and where they lie.
    pub(in crate::vault) log: Vec<(Entry, u64)>,
    /// Revisions of cards whose frame is damaged, and of which recording.
    damaged_cards: Vec<(u32, u32)>,
    /// Whether there are whole frames of recordings that the bag knows nothing of,
    /// neither as living nor as destroyed, or of another log.
    pub(in crate::vault) strange: bool,
    /// Blocks that the disk did not give. What lies in them is not among the rest, and may be
    /// there another day.
    pub(in crate::vault) unread: u64,
}

impl Records {
    /// The recording that a record is of.
    pub(in crate::vault) fn clip(&self, found: &Found) -> ClipId {
        self.clips[found.clip as usize]
    }

    /// Cards of which there was a newer revision than any that can be read.
    pub(in crate::vault) fn older_cards(&self) -> impl Iterator<Item = ClipId> {
        let read = |clip: u32| {
            let key = (clip, Kind::Card, 0);
            let at = self
                .found
                .binary_search_by_key(&key, |one| (one.clip, one.kind, one.number));
            at.ok().map(|at| self.found[at].revision)
        };
        self.damaged_cards
            .iter()
            .filter(move |(clip, revision)| read(*clip).is_some_and(|read| read < *revision))
            .map(|(clip, _)| self.clips[*clip as usize])
    }
}

/// Looks through all of a file.
///
/// # Errors
/// Only if its length can't be told: what can't be read is passed over.
pub(in crate::vault) fn find(
    bag: &Bag,
    file: &dyn DiskFile,
    progress: &(dyn Fn(u64) + Sync),
) -> io::Result<Records> {
    let known = Known::of(bag);
    let end = file.len()?;
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST_THREADS);
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let look = || {
        let mut found = Records::default();
        let mut window = Vec::new();
        loop {
            let start = next.fetch_add(WINDOW_BYTES, Ordering::Relaxed);
            if start >= end {
                return found;
            }
            let piece = Piece { file, start, end };
            look_at(&known, &piece, &mut window, &mut found);
            let read = WINDOW_BYTES.min(end - start);
            progress(done.fetch_add(read, Ordering::Relaxed) + read);
        }
    };
    let mut found = thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .filter_map(|_| {
                thread::Builder::new()
                    .name("rescue".into())
                    .spawn_scoped(scope, look)
                    .ok()
            })
            .collect();
        let mut found = look();
        for other in others {
            let other = other.join().unwrap_or_default();
            found.found.extend(other.found);
            found.log.extend(other.log);
            found.damaged_cards.extend(other.damaged_cards);
            found.strange |= other.strange;
            found.unread += other.unread;
        }
        found
    });
    found.found.sort_unstable_by_key(|one| {
        (
            one.clip,
            one.kind,
            one.number,
            Reverse(one.revision),
            one.at,
        )
    });
    found
        .found
        .dedup_by_key(|one| (one.clip, one.kind, one.number));
    found.log = chain::choose(bag, found.log);
    found.clips = known.clips.iter().map(|(at, _)| *at).collect();
    Ok(found)
}

/// Adds the bytes of a record that was found.
pub(in crate::vault) fn read(
    file: &dyn DiskFile,
    found: &Found,
    bytes: &mut Vec<u8>,
) -> io::Result<()> {
    read_at(file, found.at, bytes)
}

/// Adds the bytes of the record that begins there.
pub(in crate::vault) fn read_at(
    file: &dyn DiskFile,
    at: u64,
    bytes: &mut Vec<u8>,
) -> io::Result<()> {
    let mut header = [0; HEADER_BYTES];
    file.read_at(at, &mut header)?;
    let body = frame::body_bytes(&header).map_err(io::Error::other)?;
    let start = bytes.len();
    bytes.resize(start + HEADER_BYTES + body, 0);
    file.read_at(at, &mut bytes[start..])
}

/// The recordings whose records count.
struct Known<'a> {
    bag: &'a Bag,
    /// By their ids.
    clips: Vec<(ClipId, &'a Clip)>,
}

impl<'a> Known<'a> {
    fn of(bag: &'a Bag) -> Self {
        let merged = bag.clips.iter().filter(|(_, clip)| clip.extent.is_some());
        let named = |(id, clip): (&RecordingId, &'a Clip)| {
            let epoch = clip.epoch;
            (ClipId { id: *id, epoch }, clip)
        };
        Self {
            bag,
            clips: merged.map(named).collect(),
        }
    }

    /// Whether a record is of a recording that this bag never had: another vault's,
    /// or one that came in later than the bag is.
    fn is_strange(&self, facts: &Facts) -> bool {
        let (id, epoch) = (facts.id, facts.epoch);
        !self.bag.clips.contains_key(&id) && !self.bag.is_tombstoned(id, epoch)
    }

    /// Which recording a record says it is of, if we have it.
    fn place(&self, facts: &Facts) -> Option<u32> {
        let (id, epoch) = (facts.id, facts.epoch);
        let wanted = ClipId { id, epoch };
        let found = self.clips.binary_search_by_key(&wanted, |(at, _)| *at).ok();
        found.and_then(|place| u32::try_from(place).ok())
    }

    fn opens(&self, place: u32, frame: &Frame<'_>) -> bool {
        let (_, clip) = self.clips[place as usize];
        match (frame.facts.kind, &clip.sound, &clip.words) {
            (Kind::Sound, Some(key), _) => record::open_sound(key, frame).is_ok(),
            (Kind::Words, _, Some(key)) => record::open_text::<Transcript>(key, frame).is_ok(),
            (Kind::Card, ..) => record::open_text::<CardRecord>(&clip.card, frame).is_ok(),
            _ => false,
        }
    }
}

/// A window's length of a file, which goes on up to `end`.
struct Piece<'a> {
    file: &'a dyn DiskFile,
    start: u64,
    end: u64,
}

/// Looks at the frames that begin in a piece.
fn look_at(known: &Known<'_>, piece: &Piece<'_>, window: &mut Vec<u8>, found: &mut Records) {
    let Piece { file, start, end } = *piece;
    // A little more, so that a header at its edge is whole.
    let bytes = (end - start).min(WINDOW_BYTES + HEADER_BYTES as u64) as usize;
    window.resize(bytes, 0);
    found.unread += read_what_can_be(file, start, window);
    let mut from = 0;
    while let Some(at) = scan::next_magic(window, from) {
        from = at + 1;
        if at as u64 >= WINDOW_BYTES {
            return;
        }
        let parsed = frame::parse(&window[at..]);
        let mut own = Vec::new();
        let frame = match parsed {
            Ok(frame) => Some(frame),
            Err(Unreadable::Torn) => {
                own = torn(known, file, start + at as u64, end, &window[at..]);
                frame::parse(&own).ok()
            }
            Err(_) => None,
        };
        let Some(frame) = frame else {
            let facts = window[at..].first_chunk().and_then(frame::facts_of);
            let card = facts.filter(|facts| facts.kind == Kind::Card);
            if let Some((facts, clip)) = card.and_then(|card| Some((card, known.place(&card)?))) {
                found.damaged_cards.push((clip, facts.revision));
            }
            continue;
        };
        if frame.facts.kind == Kind::Log {
            match entry::open(known.bag, frame.bytes) {
                Ok(entry) => {
                    found.log.push((entry, start + at as u64));
                    from = at + frame.bytes.len();
                }
                Err(_) => found.strange = true,
            }
            continue;
        }
        let Some(clip) = known.place(&frame.facts) else {
            found.strange |= known.is_strange(&frame.facts);
            continue;
        };
        if known.opens(clip, &frame) {
            let Facts {
                kind,
                number,
                revision,
                ..
            } = frame.facts;
            found.found.push(Found {
                at: start + at as u64,
                clip,
                number: if kind == Kind::Card { 0 } else { number },
                revision,
                kind,
            });
            // Nothing that counts lies inside a record that opens.
            from = at + frame.bytes.len();
        }
        drop(own);
    }
}

/// All of a frame that reaches over the edge of the window, if it says that it is
/// of a recording that we have or of the log; nothing otherwise.
fn torn(known: &Known<'_>, file: &dyn DiskFile, at: u64, end: u64, seen: &[u8]) -> Vec<u8> {
    let facts = seen.first_chunk().and_then(frame::facts_of);
    let is_ours =
        facts.is_some_and(|facts| facts.kind == Kind::Log || known.place(&facts).is_some());
    match frame::body_bytes(seen) {
        Ok(body) if is_ours && at + (HEADER_BYTES + body) as u64 <= end => {
            let mut whole = vec![0; HEADER_BYTES + body];
            // What of it can't be read counts in the window that it lies in.
            let _ = read_what_can_be(file, at, &mut whole);
            whole
        }
        _ => Vec::new(),
    }
}

/// Reads what the disk gives; zeros stand for the blocks that it can't read. How many those
/// are.
fn read_what_can_be(file: &dyn DiskFile, at: u64, bytes: &mut [u8]) -> u64 {
    if file.read_at(at, bytes).is_ok() {
        return 0;
    }
    let mut unread = 0;
    let mut at = at;
    let mut rest = bytes;
    while !rest.is_empty() {
        // Up to the next edge of a block.
        let length = (BLOCK_BYTES - (at % BLOCK_BYTES as u64) as usize).min(rest.len());
        let (block, behind) = rest.split_at_mut(length);
        if file.read_at(at, block).is_err() {
            block.fill(0);
            unread += 1;
        }
        at += length as u64;
        rest = behind;
    }
    unread
}
