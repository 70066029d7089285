//! Puts the sizes in a WAV header right, and hands the rest on as a stream.
//!
//! A WAV header says how long the sound is before it was made, so it is often
//! wrong: `arecord`, sox and ffmpeg write 0, 2 GiB or 4 GiB into a pipe, a
//! recorder that crashed leaves 0, a broken download leaves more than there is.
//! Here the chunks before the sound are read; what is handed on is a header of
//! unknown length and then the sound, as far as it goes. Where fewer bytes come
//! than were claimed, that is counted; where more come and they are no further
//! chunk, they are sound as well. RF64 (EBU Tech 3306) is read likewise.

use std::io::{self, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::audio::error::AudioError;

/// The largest `fmt ` chunk that makes sense.
const LARGEST_FORMAT: u32 = 4096;

/// From here on a size is what programs write when they know none: `arecord`
/// and sox end just under 2 GiB, ffmpeg at 4 GiB less one.
const UNKNOWN_FROM: u32 = 0x7fff_0000;

/// The longest chunk that may follow the sound.
const LARGEST_TRAILER: u32 = 64 << 20;

/// Format tags of the ADPCM kinds, whose last block is padded.
const ADPCM: [u16; 2] = [0x0002, 0x0011];

/// A stream of bytes, wherever it comes from.
type Bytes = Box<dyn Read + Send + Sync>;

/// A WAV stream with a header that does not lie.
pub(super) struct Mended {
    pub(super) stream: Chain<Cursor<Vec<u8>>, Body>,
    /// Frames that count, where the sound is padded.
    pub(super) frames: Option<u64>,
    pub(super) duration: Option<Duration>,
    /// Bytes of sound that were claimed and did not come; known at the end.
    pub(super) missing: Arc<AtomicU64>,
}

pub(super) fn is_wav(head: &[u8]) -> bool {
    matches!(head.get(..4), Some(b"RIFF" | b"RF64" | b"BW64")) && head.get(8..12) == Some(b"WAVE")
}

/// Reads up to the sound.
pub(super) fn mend(mut stream: Bytes, which: &str) -> Result<Mended, AudioError> {
    let damaged = |why: &str| AudioError::Damaged {
        which: which.to_owned(),
        why: why.to_owned(),
    };
    let cut = |source: io::Error| match source.kind() {
        io::ErrorKind::UnexpectedEof => damaged("it ends before the sound begins"),
        _ => AudioError::Read {
            which: which.to_owned(),
            source,
        },
    };
    read::<12>(&mut stream).map_err(cut)?;
    let (mut format, mut long_size, mut fact) = (None, None, None);
    loop {
        let [a, b, c, d, e, f, g, h] = read::<8>(&mut stream).map_err(cut)?;
        let size = u32::from_le_bytes([e, f, g, h]);
        match &[a, b, c, d] {
            b"data" => {
                let format: Vec<u8> =
                    format.ok_or_else(|| damaged("its format is not described"))?;
                return Ok(Mended::new(stream, &format, size, long_size, fact));
            }
            b"fmt " if size > LARGEST_FORMAT => return Err(damaged("its header makes no sense")),
            b"fmt " => format = Some(chunk(&mut stream, size).map_err(cut)?),
            b"ds64" if size <= LARGEST_FORMAT => {
                long_size = number(&chunk(&mut stream, size).map_err(cut)?, 8);
            }
            b"fact" if size <= LARGEST_FORMAT => {
                let count = chunk(&mut stream, size).map_err(cut)?;
                fact = count
                    .first_chunk()
                    .map(|bytes| u64::from(u32::from_le_bytes(*bytes)));
            }
            _ => {
                // Chunks are padded to even lengths.
                let length = u64::from(size) + u64::from(size % 2);
                let passed = io::copy(&mut stream.by_ref().take(length), &mut io::sink());
                if passed.map_err(cut)? < length {
                    return Err(damaged("there is no sound in it"));
                }
            }
        }
    }
}

impl Mended {
    fn new(
        stream: Bytes,
        format: &[u8],
        size: u32,
        long_size: Option<u64>,
        fact: Option<u64>,
    ) -> Self {
        let claimed = match (size, long_size) {
            (u32::MAX, Some(long)) => Some(long),
            (UNKNOWN_FROM.., _) => None,
            (size, _) => Some(u64::from(size)),
        };
        let tag = format
            .first_chunk()
            .map_or(0, |bytes| u16::from_le_bytes(*bytes));
        let per_second = format
            .get(8..12)
            .and_then(<[u8]>::first_chunk)
            .map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let mut header = Vec::with_capacity(28 + format.len());
        header.extend(b"RIFF\xff\xff\xff\xffWAVEfmt ");
        header.extend((format.len() as u32).to_le_bytes());
        header.extend(format);
        if format.len() % 2 == 1 {
            header.push(0);
        }
        header.extend(b"data\xff\xff\xff\xff");
        let missing = Arc::new(AtomicU64::new(0));
        let body = Body {
            stream,
            left: claimed.map_or(Left::ToTheEnd, Left::Bytes),
            odd: claimed.is_some_and(|bytes| bytes % 2 == 1),
            held: Cursor::new(Vec::new()),
            missing: Arc::clone(&missing),
        };
        Self {
            stream: Cursor::new(header).chain(body),
            frames: fact.filter(|frames| *frames > 0 && claimed.is_some() && ADPCM.contains(&tag)),
            duration: claimed
                .filter(|bytes| *bytes > 0 && per_second > 0)
                .map(|bytes| Duration::from_secs_f64(bytes as f64 / f64::from(per_second))),
            missing,
        }
    }
}

/// The bytes of the sound, and nothing behind them.
pub(super) struct Body {
    stream: Bytes,
    left: Left,
    /// The claimed size is odd, so that one byte of padding may follow.
    odd: bool,
    /// What was read to see whether a chunk follows, and was none.
    held: Cursor<Vec<u8>>,
    missing: Arc<AtomicU64>,
}

enum Left {
    Bytes(u64),
    ToTheEnd,
    Nothing,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let held = self.held.read(buffer)?;
            if held > 0 || buffer.is_empty() {
                return Ok(held);
            }
            match self.left {
                Left::Nothing => return Ok(0),
                Left::ToTheEnd => return patiently(&mut self.stream, buffer),
                Left::Bytes(0) => self.look_behind()?,
                Left::Bytes(left) => {
                    let most = usize::try_from(left)
                        .unwrap_or(usize::MAX)
                        .min(buffer.len());
                    let part = buffer.get_mut(..most).unwrap_or_default();
                    let count = patiently(&mut self.stream, part)?;
                    self.left = Left::Bytes(left - count as u64);
                    if count == 0 {
                        self.missing.store(left, Ordering::Relaxed);
                        self.left = Left::Nothing;
                    }
                    return Ok(count);
                }
            }
        }
    }
}

impl Body {
    /// At the claimed end: does a chunk follow, nothing, or still sound?
    fn look_behind(&mut self) -> io::Result<()> {
        let mut next = vec![0; 8 + usize::from(self.odd)];
        let mut filled = 0;
        while let Some(room) = next.get_mut(filled..).filter(|room| !room.is_empty()) {
            match patiently(&mut self.stream, room)? {
                0 => break,
                count => filled += count,
            }
        }
        next.truncate(filled);
        let is_chunk = |bytes: Option<&[u8]>| {
            let Some([id @ .., a, b, c, d]) = bytes.and_then(<[u8]>::first_chunk::<8>) else {
                return true; // too little to be anything
            };
            let size = u32::from_le_bytes([*a, *b, *c, *d]);
            id.iter().all(|byte| matches!(byte, b' '..=b'~')) && size <= LARGEST_TRAILER
        };
        if is_chunk(next.get(usize::from(self.odd)..)) || is_chunk(next.get(..)) {
            self.left = Left::Nothing;
        } else {
            self.left = Left::ToTheEnd;
            self.held = Cursor::new(next);
        }
        Ok(())
    }
}

/// One read, again if a signal came between.
fn patiently(stream: &mut Bytes, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn read<const N: usize>(stream: &mut Bytes) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn chunk(stream: &mut Bytes, size: u32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size as usize + size as usize % 2];
    stream.read_exact(&mut bytes)?;
    bytes.truncate(size as usize);
    Ok(bytes)
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .map(|bytes| u64::from_le_bytes(*bytes))
}
