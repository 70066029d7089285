//! Ogg Opus (RFC 7845): the stored packets as they are, in another wrapping.
//!
//! Nothing is decoded or encoded again. Only the packets that carry the
//! recording are written, and the position of the last page says how many
//! samples of the last packet count, so that players give exactly what was
//! recorded.
//!
//! The pages (RFC 3533) are put together here: all have the same shape, and `ogg`'s
//! writer keeps each packet in a buffer of its own and takes its checksum byte by byte,
//! which was half of the work of the thread that writes a backup.

use std::io::{self, Write};

use crc::{Algorithm, Crc, Table};

use crate::audio::encode::{PACKET_BYTES, PACKET_SAMPLES, SEGMENT_BYTES, SEGMENT_PACKETS};
use crate::audio::error::AudioError;
use crate::audio::stored::StoredShape;
use crate::recording::STORED_RATE_HZ;

/// Writes an Ogg Opus file.
pub struct OggOpusWriter<W: Write> {
    pages: Pages<W>,
    shape: StoredShape,
    /// Packets taken, and packets to write.
    packets: u64,
    due: u64,
    /// The packets of the last page: it can be written only when it is known whether
    /// another one follows.
    held: Vec<u8>,
}

/// How long a file of so many packets is.
#[must_use]
pub fn ogg_opus_bytes(packets: u64) -> u64 {
    let head = PAGE_HEAD_BYTES as u64;
    let headers = 2 * (head + 1) + OPUS_HEAD_BYTES as u64 + OPUS_TAGS.len() as u64;
    let pages = packets.div_ceil(SEGMENT_PACKETS as u64);
    // A packet of 70 bytes has one byte for its length.
    headers + pages * head + packets * (1 + PACKET_BYTES as u64)
}

const OPUS_HEAD_BYTES: usize = 19;

/// Neither the name of a program nor a comment: two lengths of 0.
const OPUS_TAGS: &[u8; 16] = b"OpusTags\0\0\0\0\0\0\0\0";

impl<W: Write> OggOpusWriter<W> {
    /// What it writes to, for who takes from there what was written.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.pages.to
    }

    /// Writes the headers of a recording.
    ///
    /// # Errors
    /// [`AudioError::Write`].
    pub fn new(to: W, shape: StoredShape) -> Result<Self, AudioError> {
        Self::chained(to, shape, 1)
    }

    /// The same, of a stretch of a recording: one file behind the other is a chain of
    /// streams, in which each needs a number of its own.
    ///
    /// # Errors
    /// [`AudioError::Write`].
    pub fn chained(to: W, shape: StoredShape, serial: u32) -> Result<Self, AudioError> {
        let mut head = Vec::with_capacity(OPUS_HEAD_BYTES);
        head.extend(b"OpusHead");
        head.push(1); // version
        head.push(1); // channels
        head.extend(shape.pre_skip.to_le_bytes());
        head.extend(STORED_RATE_HZ.to_le_bytes());
        head.extend(0_i16.to_le_bytes()); // gain
        head.push(0); // mapping family: mono
        let mut pages = Pages {
            to,
            serial,
            written: 0,
        };
        pages
            .write(Place::First, 0, &head, head.len())
            .and_then(|()| pages.write(Place::Middle, 0, OPUS_TAGS, OPUS_TAGS.len()))
            .map_err(AudioError::Write)?;
        Ok(Self {
            pages,
            shape,
            packets: 0,
            due: shape.packets(),
            held: Vec::with_capacity(SEGMENT_BYTES),
        })
    }

    /// Writes the next segment.
    ///
    /// # Errors
    /// [`AudioError::Write`], and `Stored` if it is no segment.
    pub fn push(&mut self, segment: &[u8]) -> Result<(), AudioError> {
        if segment.len() != SEGMENT_BYTES {
            let why = format!("a segment of {} bytes", segment.len());
            return Err(AudioError::Stored { why });
        }
        let packets = (self.due - self.packets).min(SEGMENT_PACKETS as u64);
        if packets > 0 {
            // A page per segment: less than the second that is advised.
            self.write_held(Place::Middle)?;
            self.held
                .extend_from_slice(&segment[..packets as usize * PACKET_BYTES]);
            self.packets += packets;
        }
        Ok(())
    }

    fn write_held(&mut self, place: Place) -> Result<(), AudioError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let whole = self.packets * PACKET_SAMPLES as u64;
        let position = whole.min(self.shape.samples + u64::from(self.shape.pre_skip));
        self.pages
            .write(place, position, &self.held, PACKET_BYTES)
            .map_err(AudioError::Write)?;
        self.held.clear();
        Ok(())
    }

    /// Ends the file and gives back what it was written to. A recording that
    /// was interrupted lacks the last packet: what there is becomes the end.
    ///
    /// # Errors
    /// [`AudioError::Write`].
    pub fn finish(mut self) -> Result<W, AudioError> {
        self.write_held(Place::Last)?;
        let mut to = self.pages.to;
        to.flush().map_err(AudioError::Write)?;
        Ok(to)
    }
}

/// Bytes of a page's header, without the lengths of its packets.
const PAGE_HEAD_BYTES: usize = 27;

/// Where in it the checksum stands.
const CHECKSUM_AT: usize = 22;

/// Packets have lengths of one byte: longer ones would take several.
const _: () = assert!(PACKET_BYTES < 255 && SEGMENT_PACKETS < 255);

/// The polynomial of CRC-32, highest bit first, with nothing before or behind it.
static CHECKSUM: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&Algorithm {
    width: 32,
    poly: 0x04c1_1db7,
    init: 0,
    refin: false,
    refout: false,
    xorout: 0,
    check: 0x89a1_897f,
    residue: 0,
});

/// Where in its stream a page stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    First = 2,
    Middle = 0,
    Last = 4,
}

/// Writes one page after the other.
struct Pages<W> {
    to: W,
    /// Tells streams in one file apart.
    serial: u32,
    written: u32,
}

impl<W: Write> Pages<W> {
    /// A page of packets that all have one length. `position` is that of the last of
    /// them, in samples.
    fn write(
        &mut self,
        place: Place,
        position: u64,
        packets: &[u8],
        packet_bytes: usize,
    ) -> io::Result<()> {
        let lengths = packets.len() / packet_bytes;
        let mut head = [packet_bytes as u8; PAGE_HEAD_BYTES + SEGMENT_PACKETS];
        head[..4].copy_from_slice(b"OggS");
        head[4] = 0; // version
        head[5] = place as u8;
        head[6..14].copy_from_slice(&position.to_le_bytes());
        head[14..18].copy_from_slice(&self.serial.to_le_bytes());
        head[18..CHECKSUM_AT].copy_from_slice(&self.written.to_le_bytes());
        head[CHECKSUM_AT..CHECKSUM_AT + 4].fill(0);
        head[CHECKSUM_AT + 4] = lengths as u8;
        let head = &mut head[..PAGE_HEAD_BYTES + lengths];
        let mut checksum = CHECKSUM.digest();
        checksum.update(head);
        checksum.update(packets);
        head[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.finalize().to_le_bytes());
        self.to.write_all(head)?;
        self.to.write_all(packets)?;
        self.written += 1;
        Ok(())
    }
}
