//! Ogg Opus (RFC 7845): the stored packets as they are, in another wrapping.
//!
//! Nothing is decoded or encoded again. Only the packets that carry the
//! recording are written, and the position of the last page says how many
//! samples of the last packet count, so that players give exactly what was
//! recorded.

use std::io::Write;

use ogg::{PacketWriteEndInfo, PacketWriter};

use crate::audio::encode::{PACKET_BYTES, PACKET_SAMPLES, SEGMENT_BYTES, SEGMENT_PACKETS};
use crate::audio::error::AudioError;
use crate::audio::stored::StoredShape;
use crate::recording::STORED_RATE_HZ;

/// Tells streams in one file apart; there is only one, so it says nothing.
const SERIAL: u32 = 1;

/// Writes an Ogg Opus file.
pub struct OggOpusWriter<W: Write> {
    ogg: PacketWriter<'static, W>,
    shape: StoredShape,
    /// Packets taken, and packets to write.
    packets: u64,
    due: u64,
    /// The last one taken: it can be written only when it is known whether
    /// another one follows.
    held: Option<Vec<u8>>,
}

/// Bytes of a page's header, without the lengths of its packets.
const PAGE_HEAD_BYTES: u64 = 27;

/// How long a file of so many packets is.
#[must_use]
pub fn ogg_opus_bytes(packets: u64) -> u64 {
    let (head, tags) = (19, 16);
    let headers = 2 * (PAGE_HEAD_BYTES + 1) + head + tags;
    let pages = packets.div_ceil(SEGMENT_PACKETS as u64);
    // A packet of 70 bytes has one byte for its length.
    headers + pages * PAGE_HEAD_BYTES + packets * (1 + PACKET_BYTES as u64)
}

impl<W: Write> OggOpusWriter<W> {
    /// What it writes to, for who takes from there what was written.
    pub fn get_mut(&mut self) -> &mut W {
        self.ogg.inner_mut()
    }

    /// Writes the headers of a recording.
    ///
    /// # Errors
    /// [`AudioError::Write`].
    pub fn new(to: W, shape: StoredShape) -> Result<Self, AudioError> {
        let mut ogg = PacketWriter::new(to);
        let mut head = b"OpusHead".to_vec();
        head.push(1); // version
        head.push(1); // channels
        head.extend(shape.pre_skip.to_le_bytes());
        head.extend(STORED_RATE_HZ.to_le_bytes());
        head.extend(0_i16.to_le_bytes()); // gain
        head.push(0); // mapping family: mono
        let mut tags = b"OpusTags".to_vec();
        tags.extend(0_u32.to_le_bytes()); // length of the program's name: not told
        tags.extend(0_u32.to_le_bytes()); // number of comments
        for header in [head, tags] {
            ogg.write_packet(header, SERIAL, PacketWriteEndInfo::EndPage, 0)
                .map_err(AudioError::Write)?;
        }
        Ok(Self {
            ogg,
            shape,
            packets: 0,
            due: shape.packets(),
            held: None,
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
        for packet in segment.chunks_exact(PACKET_BYTES) {
            if self.packets >= self.due {
                break;
            }
            // A page per segment: less than the second that is advised.
            let end = if self.packets.is_multiple_of(SEGMENT_PACKETS as u64) {
                PacketWriteEndInfo::EndPage
            } else {
                PacketWriteEndInfo::NormalPacket
            };
            self.write_held(end)?;
            self.held = Some(packet.to_vec());
            self.packets += 1;
        }
        Ok(())
    }

    fn write_held(&mut self, end: PacketWriteEndInfo) -> Result<(), AudioError> {
        let Some(packet) = self.held.take() else {
            return Ok(());
        };
        let whole = self.packets * PACKET_SAMPLES as u64;
        let position = whole.min(self.shape.samples + u64::from(self.shape.pre_skip));
        self.ogg
            .write_packet(packet, SERIAL, end, position)
            .map_err(AudioError::Write)
    }

    /// Ends the file and gives back what it was written to. A recording that
    /// was interrupted lacks the last packet: what there is becomes the end.
    ///
    /// # Errors
    /// [`AudioError::Write`].
    pub fn finish(mut self) -> Result<W, AudioError> {
        self.write_held(PacketWriteEndInfo::EndStream)?;
        let mut to = self.ogg.into_inner();
        to.flush().map_err(AudioError::Write)?;
        Ok(to)
    }
}
